"""Usage curves: the quantity of every usage line in every hour."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _ingest, _native
from ._document import Immutable
from ._errors import InputError
from ._ingest import Array, Form
from ._records import UsageLine, aware
from ._table import Column, Table

if TYPE_CHECKING:
    import pandas

    from ._catalog import Catalog

__all__ = ["UsageCurves"]


class UsageCurves(Immutable):
    """What runs: hours x usage lines, immutable.

    Quantities are in each line's unit an hour; an instance that ran for a quarter of an hour counts 0.25. Lines are in the order of their keys,
    whatever order they came in.

    >>> import numpy as np
    >>> from datetime import datetime, UTC
    >>> line = UsageLine("aws", "AmazonEC2", "m5.large", region="us-east-1", platform="Linux", tenancy="shared", unit="instance-hour")
    >>> usage = UsageCurves.from_arrays(np.array([[3.0], [1.0]]), datetime(2024, 1, 1, tzinfo=UTC), [line])
    >>> usage
    UsageCurves(2 hours from 2024-01-01T00:00:00Z x 1 line)
    >>> usage.quantity[:, 0]
    array([3., 1.])
    """

    __slots__ = ("_lines", "_native")

    def __init__(self, native: _native.UsageCurves) -> None:
        self._native = native
        self._lines: tuple[UsageLine, ...] | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> UsageCurves:
        """Reads a usage file: CSV (or gzip of it), one row an hour and line. The columns are those of :meth:`from_table` in long form.

        Raises :class:`FileError` and :class:`InputError`, with file, line and field.
        """
        return cls(_native.UsageCurves.read(os.fspath(path)))

    @classmethod
    def from_table(
        cls,
        data: Any,
        *,
        form: Form | None = None,
        lines: Mapping[Any, UsageLine | Mapping[str, Any]] | None = None,
        defaults: Mapping[str, Any] | None = None,
        hour: str = "hour",
        timezone: str | None = None,
    ) -> UsageCurves:
        """Usage from a pandas, Polars or PyArrow frame, a DuckDB relation, anything with the Arrow PyCapsule interface, or a dict of arrays.

        *Long form* (there is a column ``quantity``): one row an hour and line, in any order, with columns ``hour``, ``provider``, ``service``,
        ``region``, ``sku``, ``platform``, ``tenancy``, ``unit``, ``account``, ``availability_zone``, ``pricing``, ``tag:NAME``, ``billed_price``,
        ``weight``, ``quantity``. *Wide form*: one row an hour, one column a line; the hours are a column, or the index of a pandas frame.

        ``lines`` says which line a column of the wide form is. Without it columns are named by levels of a pandas ``MultiIndex``, by the line in
        words (:attr:`UsageLine.name`), or, where ``defaults`` gives provider and service, by the SKU. ``defaults`` also fills in columns that
        the long form does not have. Hours carry their time zone; ``timezone="UTC"`` says that naive ones are UTC.

        A wide pandas frame of float64 in one C-contiguous block, with hours and lines in order, is not copied: the curves then read the frame's
        memory, so do not change it in place afterwards.

        Raises :class:`UsageError` naming column and first bad hour: a wrong type, no time zone, an hour that is repeated, missing or not on the
        hour, a value that is missing, infinite or negative.

        >>> import numpy as np
        >>> hours = np.array(["2024-01-01T00", "2024-01-01T01"], dtype="datetime64[h]")
        >>> usage = UsageCurves.from_table({"hour": hours, "m5.large": np.array([3.0, 1.0])}, timezone="UTC",
        ...     defaults={"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "platform": "Linux"})
        >>> usage.lines[0].sku
        'm5.large'
        >>> UsageCurves.from_table({"hour": hours[[0, 0]], "m5.large": np.array([3.0, 1.0])}, timezone="UTC",
        ...     defaults={"provider": "aws", "service": "AmazonEC2"})
        Traceback (most recent call last):
        ...
        covermix._errors.UsageError: column `hour`, hour 2024-01-01T00:00:00Z: the hour is given twice; give each hour once; add up the rows
        """
        matrix = _ingest.read(data, form=form, lines=lines, defaults=dict(defaults or {}), hour=hour, timezone=timezone)
        return cls._from_matrix(matrix)

    @classmethod
    def from_arrays(
        cls,
        quantity: Array,
        first_hour: datetime,
        lines: Iterable[UsageLine | Mapping[str, Any]],
        *,
        weights: Array | None = None,
        copy: bool = False,
    ) -> UsageCurves:
        """Usage from a matrix of hours x lines.

        A C-contiguous float64 array with its lines in order is not copied unless ``copy`` says so: do not change it afterwards. ``weights`` says
        how many equal hours each hour stands for, 1 if not given.
        """
        array = np.array(quantity, dtype=np.float64, copy=True) if copy else np.asarray(quantity, dtype=np.float64)
        known = [line if isinstance(line, UsageLine) else UsageLine(**line) for line in lines]
        if array.ndim != 2 or array.shape[1] != len(known):
            remedy = "give a matrix of hours x lines, and one line for each column"
            raise InputError(f"field `quantity`: the shape is {array.shape}, beside {len(known)} lines; {remedy}", field="quantity", remedy=remedy)
        start = aware(first_hour, "first_hour")
        if start.minute or start.second or start.microsecond:
            raise InputError(f"field `first_hour`: {start} is not the start of an hour; {_ingest.ALIGNED}", field="first_hour", remedy=_ingest.ALIGNED)
        first = int(start.timestamp()) // 3600
        matrix = _ingest.arranged(first, known, array, None, [line.name for line in known])
        matrix.weights = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
        return cls._from_matrix(matrix)

    @classmethod
    def _from_matrix(cls, matrix: _ingest.Matrix) -> UsageCurves:
        lines = json.dumps([line.to_dict() for line in matrix.lines])
        quantity = matrix.quantity
        buffer = quantity.reshape(-1).view(np.uint8)
        native = _native.UsageCurves.from_buffer(matrix.first_hour, quantity.shape[0], lines, buffer)
        return cls(native if matrix.weights is None else native.with_weights(matrix.weights))

    @property
    def lines(self) -> tuple[UsageLine, ...]:
        """The lines, in the order of the columns."""
        if self._lines is None:
            self._lines = tuple(UsageLine(**line) for line in json.loads(self._native.lines()))
        return self._lines

    @property
    def shape(self) -> tuple[int, int]:
        """Hours and lines."""
        return self._native.hours(), len(self.lines)

    @property
    def first_hour(self) -> datetime:
        """The start of the first hour, in UTC."""
        return datetime.fromtimestamp(self._native.first_hour() * 3600, UTC)

    @property
    def end(self) -> datetime:
        """The end of the last hour, in UTC."""
        return self.first_hour + timedelta(hours=self._native.hours())

    @property
    def hours(self) -> Array:
        """The start of each hour: ``datetime64[h]``, UTC."""
        first = self._native.first_hour()
        return np.arange(first, first + self._native.hours()).astype("datetime64[h]")

    @property
    def quantity(self) -> Array:
        """Quantities, hours x lines, float64: a read-only view of the curves' own memory."""
        return np.frombuffer(self._native.quantity(), dtype=np.float64).reshape(self.shape)

    @property
    def weights(self) -> Array:
        """How many equal hours each hour stands for, float64."""
        return self._native.weights()

    def totals(self) -> Array:
        """The weighted total quantity of each line."""
        return self._native.totals()

    def filter(self, keep: Callable[[UsageLine], bool] | None = None, **attributes: str) -> UsageCurves:
        """The lines for which ``keep`` is true and whose attributes are those given; a text that ends in ``*`` is a beginning.

        Raises :class:`InputError` if there are none.

        >>> import covermix
        >>> covermix.example_usage().filter(account="shop", sku="r5.*").shape
        (8760, 5)
        """

        def matches(line: UsageLine) -> bool:
            for name, wanted in attributes.items():
                value = str(getattr(line, name))
                if not (value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted):
                    return False
            return keep is None or keep(line)

        native = self._native.filter([matches(line) for line in self.lines])
        if native is None:
            remedy = "correct the selection"
            raise InputError(f"the selection {attributes or keep} takes no usage line; {remedy}", remedy=remedy)
        return UsageCurves(native)

    def priced_by(self, catalog: Catalog) -> UsageCurves:
        """The lines that the catalog has a price for. What is left out is not billed: look at it with :meth:`unknown_to` first."""
        keep = iter(catalog._native.knows(self._native))
        return self.filter(lambda _: next(keep))

    def unknown_to(self, catalog: Catalog) -> Table:
        """The lines that the catalog has no price for, with their total quantity."""
        unknown = [index for index, known in enumerate(catalog._native.knows(self._native)) if not known]
        totals = self.totals()
        return Table.of(
            "Usage without a price in the catalog",
            line=("text", [self.lines[index].name for index in unknown]),
            quantity=("float", [float(totals[index]) for index in unknown]),
        )

    def between(self, start: datetime, end: datetime) -> UsageCurves:
        """The hours from ``start`` to before ``end``, cut to the hours there are."""
        first = self._native.first_hour()
        positions = [int(aware(at, name).timestamp() // 3600) - first for at, name in ((start, "start"), (end, "end"))]
        count = self._native.hours()
        begin, until = (min(max(position, 0), count) for position in positions)
        return UsageCurves(self._native.part(begin, until))

    def with_weights(self, weights: Array) -> UsageCurves:
        """The same curves with another weight for each hour."""
        return UsageCurves(self._native.with_weights(np.ascontiguousarray(weights, dtype=np.float64)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes a usage file that reads back the same; packed if the name ends in ``.gz``."""
        self._native.write(os.fspath(path))

    def to_pandas(self) -> pandas.DataFrame:
        """A wide frame: hours (UTC) x lines, columns named by the levels of the lines. The values are a read-only view."""
        import pandas

        names = ("provider", "service", "region", "sku", "platform", "tenancy", "unit", "account", "availability_zone", "pricing")
        used = [name for name in names if any(str(getattr(line, name)) for line in self.lines)]
        columns = pandas.MultiIndex.from_tuples([tuple(str(getattr(line, name)) for name in used) for line in self.lines], names=used)
        index = pandas.DatetimeIndex(self.hours.astype("datetime64[s]"), name="hour").tz_localize("UTC")
        return pandas.DataFrame(self.quantity, index=index, columns=columns, copy=False)

    def to_table(self) -> Table:
        """A wide table: a column ``hour`` and one for each line, named by the line in words."""
        quantity = self.quantity
        columns = {"hour": Column("hour", self.hours, "UTC")}
        columns |= {line.name: Column("float", np.ascontiguousarray(quantity[:, index]), line.unit) for index, line in enumerate(self.lines)}
        return Table(columns)

    def to_polars(self) -> Any:
        """A wide Polars frame."""
        return self.to_table().to_polars()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_table().__arrow_c_stream__(requested_schema)

    def summary(self) -> Table:
        """Each line with its total, mean and peak, the largest first."""
        totals, quantity = self.totals(), self.quantity
        order = np.argsort(-totals, kind="stable")
        mean = totals / self.weights.sum()
        return Table.of(
            f"{self.shape[0]:,} hours from {self.first_hour:%Y-%m-%d %H:%M}Z, {self.shape[1]} usage lines",
            line=("text", [self.lines[index].name for index in order]),
            total=("float", totals[order], "units"),
            mean=("float", mean[order], "units/hour"),
            peak=("float", quantity.max(axis=0)[order], "units/hour"),
        )

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def __repr__(self) -> str:
        hours, lines = self.shape
        first = _ingest.hour_text(self._native.first_hour())
        return f"UsageCurves({hours} hour{'s' * (hours != 1)} from {first} x {lines} line{'s' * (lines != 1)})"

    def __len__(self) -> int:
        return self._native.hours()

    def __eq__(self, other: object) -> bool:
        return self._native == other._native if isinstance(other, UsageCurves) else NotImplemented

    def __hash__(self) -> int:
        return hash((self._native.first_hour(), self.shape))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._native.first_hour(), self._native.lines(), np.array(self.quantity), self.weights)


def _restore(first_hour: int, lines: str, quantity: Array, weights: Array) -> UsageCurves:
    buffer = quantity.reshape(-1).view(np.uint8)
    return UsageCurves(_native.UsageCurves.from_buffer(first_hour, quantity.shape[0], lines, buffer).with_weights(weights))
