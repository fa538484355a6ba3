"""Searches: how hard to try, what is told meanwhile, and what Ctrl-C leaves."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from ._errors import InterruptedWarning
from ._records import Progress

__all__ = ["ProgressFunction", "effort", "searched"]

ProgressFunction = Callable[[Progress], object]
Answer = TypeVar("Answer")


def effort(relative_gap: float, time_limit: float) -> str:
    """How hard to try, as the Rust half reads it."""
    return json.dumps({"relative_gap": float(relative_gap), "time_limit": float(time_limit)})


def searched(
    search: Callable[[str, int | None, Any], tuple[Answer, bool]],
    what: str,
    relative_gap: float,
    time_limit: float,
    threads: int | None,
    progress: bool | ProgressFunction,
) -> Answer:
    """Runs a search of the Rust half; warns, if Ctrl-C ended it, that ``what`` is the best so far."""
    with _Reporter(progress) as report:
        answer, is_interrupted = search(effort(relative_gap, time_limit), threads, report)
    if is_interrupted:
        warnings.warn(f"Ctrl-C ended the search: {what}", InterruptedWarning, stacklevel=3)
    return answer


class _Reporter:
    """Shows progress: nothing, a tqdm bar if tqdm is there, or a function of the caller's."""

    def __init__(self, progress: bool | ProgressFunction) -> None:
        self._progress = progress
        self._bar: Any = None

    def __enter__(self) -> Callable[[int, float, float], None] | None:
        if self._progress is False:
            return None
        if callable(self._progress):
            function = self._progress
            return lambda sweeps, bound, cost: _drop(function(Progress(sweeps, bound, cost)))
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return None
        self._bar = tqdm(desc="sweeps over all hours", unit="sweep")
        return self._advance

    def _advance(self, sweeps: int, bound: float, cost: float) -> None:
        progress = Progress(sweeps, bound, cost)
        # A second search within the same call counts from the beginning.
        self._bar.update(max(sweeps - self._bar.n, 0))
        self._bar.set_postfix_str(f"relaxed gap {progress.gap:.4%}")

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _drop(_: object) -> None:
    """Drops what a progress function returns."""
