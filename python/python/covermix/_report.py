"""The report of a plan: one model with every number, written for three readers in four forms."""

from __future__ import annotations

import html
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Any

from . import _native
from ._document import Immutable, text_of
from ._records import member

__all__ = ["Audience", "Report"]


class Audience(StrEnum):
    """A reader with a page of their own."""

    EXECUTIVE = "executive"
    """Who signs: one page with the ask, what it is worth, the risk, and lines for approval."""
    ANALYST = "analyst"
    """Who must be sure: everything, decision first, with the rules that bind and their price."""
    ENGINEER = "engineer"
    """Who places the orders: the fields to enter, and the checks afterwards."""


class Report(Immutable):
    """A plan with its evidence, for people; made by :meth:`Plan.report`. In a notebook it shows its reader's page.

    HTML and Markdown round for people; CSV and JSON are exact.
    """

    __slots__ = ("_native", "audience")

    def __init__(self, native: _native.Report, audience: Audience | str = Audience.ANALYST) -> None:
        self._native = native
        self.audience: Audience = member(Audience, audience, "audience")

    @classmethod
    def read(cls, path: str | os.PathLike[str], audience: Audience | str = Audience.ANALYST) -> Report:
        """Reads the JSON of a report. Raises :class:`FileError`, :class:`InputError`."""
        return cls.from_json(text_of(path), audience)

    @classmethod
    def from_json(cls, text: str, audience: Audience | str = Audience.ANALYST) -> Report:
        """A report from its JSON text."""
        return cls(_native.Report.from_json(text), audience)

    def page(self, audience: Audience | str) -> Report:
        """The same report for another reader."""
        return Report(self._native, audience)

    def to_html(self) -> str:
        """The reader's page as one HTML file that needs neither network nor script."""
        return self._native.to_html(self.audience.value)

    def to_markdown(self) -> str:
        """The reader's page as Markdown, without charts."""
        return self._native.to_markdown(self.audience.value)

    def to_csv(self) -> str:
        """Every number and text, one row each: ``path, section, item, figure, value, unit``. The path is a JSON pointer into :meth:`to_json`."""
        return self._native.to_csv()

    def orders_csv(self) -> str:
        """The order list, one row a purchase."""
        return self._native.orders_csv()

    def to_json(self) -> str:
        """The document, ``covermix-report/1``, which Rust writes and reads alike."""
        return self._native.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The document."""
        return json.loads(self.to_json())

    def write(self, folder: str | os.PathLike[str], name: str = "recommendation") -> tuple[Path, ...]:
        """Writes all forms for all readers into a folder, which is made if there is none; returns their paths. Raises :class:`FileError`.

        For ``recommendation``: the document ``.json`` and ``.csv``, the analyst's ``.html`` and ``.md``, the executive's ``-memo.html`` and
        ``-memo.md``, the engineer's ``-orders.html``, ``-orders.md`` and ``-orders.csv``.
        """
        return tuple(Path(path) for path in self._native.write(os.path.join(os.fspath(folder), f"{name}.json")))

    def __eq__(self, other: object) -> bool:
        """Whether two reports have the same content, for the same reader."""
        if not isinstance(other, Report):
            return NotImplemented
        return self.audience == other.audience and self._native == other._native

    def __hash__(self) -> int:
        return hash((self.audience, self.to_json()))

    def __repr__(self) -> str:
        document = self.to_dict()
        return f"Report({len(document['purchases'])} purchases, {document['status']}, for the {self.audience.value})"

    def _repr_html_(self) -> str:
        page = html.escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{page}" title="{self!r}" style="width:100%;height:48rem;border:1px solid #ccc"></iframe>'

    def __reduce__(self) -> tuple[Any, ...]:
        return Report.from_json, (self.to_json(), self.audience.value)
