"""The exceptions of the package, one tree under :class:`CovermixError`. The Rust half raises them with the place in attributes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

__all__ = [
    "CovermixError",
    "CovermixWarning",
    "FileError",
    "FinanceError",
    "InfeasibleError",
    "InputError",
    "InterruptedWarning",
    "SolverError",
    "UnknownSku",
    "UnknownSkuError",
    "UsageError",
]


class CovermixError(Exception):
    """Something that this library refuses or cannot do. The message says where, what and the remedy.

    Attributes: ``file``, ``line`` (of the file, 1 is the first), ``field`` (column, or path in a document), ``item`` (offer, commitment, price or
    usage line), ``hour`` (aware ``datetime``) and ``remedy``; each ``None`` where it is not known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        file: object = None,
        line: int | None = None,
        field: str | None = None,
        item: str | None = None,
        hour: datetime | None = None,
        remedy: str | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.field = field
        self.item = item
        self.hour = hour
        self.remedy = remedy
        for name, value in attributes.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), str(self), dict(self.__dict__))


class InputError(CovermixError, ValueError):
    """Wrong input: a value, document or setting that cannot be used."""


class FileError(InputError):
    """A file that cannot be opened, read or written."""


class UsageError(InputError):
    """A table of usage that cannot be read. ``field`` is the column, ``hour`` the first bad hour."""


class UnknownSku(NamedTuple):
    """Usage without an on-demand price in the catalog."""

    line: str
    """The usage line, in words."""
    quantity: float
    """How much of it was used, in its unit."""
    on_demand_cost: float | None
    """What it cost on demand, where the usage says so."""


class UnknownSkuError(InputError):
    """Usage that the catalog has no price for; ``skus`` lists all of it. :meth:`covermix.UsageCurves.priced_by` leaves it out on purpose."""

    skus: list[UnknownSku]

    def __init__(self, message: str = "", *, skus: list[tuple[str, float, float | None]] | None = None, **attributes: Any) -> None:
        super().__init__(message, **attributes)
        self.skus = [UnknownSku(*sku) for sku in skus or []]


class InfeasibleError(CovermixError):
    """No purchases keep all rules of the policy. The message names the smallest set that clashes and how far each would have to give."""


class SolverError(CovermixError, RuntimeError):
    """The solver stopped without an answer for a reason that is not the input's."""


class FinanceError(InputError):
    """A figure of finance that cannot be given, with the field and the remedy."""


class CovermixWarning(UserWarning):
    """A warning of this package."""


class InterruptedWarning(CovermixWarning):
    """Ctrl-C ended the search; the plan returned is the best so far."""


def _restore(kind: type[CovermixError], message: str, state: dict[str, Any]) -> CovermixError:
    error = kind(message)
    error.__dict__.update(state)
    return error
