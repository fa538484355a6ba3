"""A small table that NumPy, pandas, Polars, DuckDB and PyArrow can read, and people too."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from . import _native

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["Table"]

Kind = Literal["text", "float", "integer", "money", "boolean", "hour", "date"]


class Column(NamedTuple):
    """Values of one kind, with a unit for the header."""

    kind: Kind
    values: Sequence[Any] | np.ndarray[Any, Any]
    unit: str = ""


class Table:
    """Named columns of equal length.

    It exports itself through the Arrow PyCapsule interface, so ``polars.DataFrame(table)``, ``pyarrow.table(table)`` and DuckDB read it as it is.
    Money is ``Decimal`` here, ``decimal128`` in Arrow, and float in pandas unless asked otherwise.

    >>> import covermix
    >>> table = covermix.Table.of(rule=("text", ["none", "plan"]), cost=("money", ["10.00", "7.50"], "USD"))
    >>> table["cost"].sum()
    Decimal('17.50')
    >>> table.row(1)
    {'rule': 'plan', 'cost': Decimal('7.50')}
    """

    __slots__ = ("_columns", "_length", "title")

    def __init__(self, columns: Mapping[str, Column], title: str = "") -> None:
        self._columns = dict(columns)
        lengths = {len(column.values) for column in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        self._length = lengths.pop() if lengths else 0
        self.title = title

    @classmethod
    def of(cls, title: str = "", **columns: tuple[Any, ...]) -> Table:
        """A table of columns given as ``name=(kind, values[, unit])``; money may be text, int or ``Decimal``."""
        built = {name: Column(*column) for name, column in columns.items()}
        for name, column in built.items():
            if column.kind == "money":
                exact = [None if value is None else Decimal(value) for value in column.values]
                built[name] = column._replace(values=exact)
        return cls(built, title)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def unit(self, column: str) -> str:
        """The unit of a column; empty if it has none."""
        return self._columns[column].unit

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, column: str) -> np.ndarray[Any, Any]:
        """A column as a NumPy array: float64, int64 (with gaps: float64), bool, ``datetime64``, else objects."""
        kind, values, _ = self._columns[column]
        if kind == "float" or (kind == "integer" and any(value is None for value in values)):
            return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        if kind == "integer":
            return np.asarray(values, dtype=np.int64)
        if kind == "boolean":
            return np.asarray(values, dtype=np.bool_)
        if kind == "hour":
            return np.asarray(values, dtype="datetime64[s]")
        if kind == "date":
            return np.asarray(values, dtype="datetime64[D]")
        array = np.empty(self._length, dtype=object)
        array[:] = list(values)
        return array

    def row(self, index: int) -> dict[str, Any]:
        """One row as a dict."""
        return {name: _plain(self[name][index]) for name in self._columns}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows, each as a dict."""
        columns = {name: self[name] for name in self._columns}
        return ({name: _plain(values[index]) for name, values in columns.items()} for index in range(self._length))

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns as lists of Python values."""
        return {name: [_plain(value) for value in self[name]] for name in self._columns}

    def to_json(self) -> str:
        """The rows as a JSON list; decimals are texts, so that no digit is lost."""
        return json.dumps(list(self), default=str)

    def to_pandas(self, money: type = float) -> pandas.DataFrame:
        """The table as a pandas frame. Money is float, or ``Decimal`` with ``money=Decimal``; hours are in UTC."""
        import pandas

        frame = pandas.DataFrame({name: self[name] for name in self._columns})
        for name, column in self._columns.items():
            if column.kind == "money" and money is float:
                frame[name] = frame[name].astype(float)
            if column.kind == "hour":
                frame[name] = frame[name].dt.tz_localize("UTC")
        return frame

    def to_polars(self) -> polars.DataFrame:
        """The table as a Polars frame, through Arrow."""
        import polars

        return polars.DataFrame(self)

    def to_pyarrow(self) -> pyarrow.Table:
        """The table as a PyArrow table, through the C interface."""
        import pyarrow

        return pyarrow.table(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        def values(name: str, kind: Kind) -> Any:
            if kind == "hour":
                return self[name].astype("datetime64[us]").astype(np.int64).tolist()
            if kind == "date":
                return self[name].astype(np.int64).tolist()
            given = self._columns[name].values
            return given if kind == "float" and isinstance(given, np.ndarray) else list(given)

        columns = [(name, column.kind, values(name, column.kind)) for name, column in self._columns.items()]
        return _native.arrow_table(columns).__arrow_c_stream__(requested_schema)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self.columns == other.columns and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.columns, self._length))

    def __reduce__(self) -> tuple[Any, ...]:
        columns = {name: tuple(column) for name, column in self._columns.items()}
        return _restore, (columns, self.title)

    def _cells(self, most: int) -> list[list[str]]:
        shown = {name: self[name][:most] for name in self._columns}
        return [[_cell(self._columns[name].kind, shown[name][row]) for name in shown] for row in range(min(most, self._length))]

    def _header(self) -> list[str]:
        return [f"{name} ({column.unit})" if column.unit else name for name, column in self._columns.items()]

    def __repr__(self) -> str:
        rows = [self._header(), *self._cells(20)]
        right = [column.kind in ("money", "float", "integer") for column in self._columns.values()]
        widths = [max(len(row[index]) for row in rows) for index in range(len(right))]
        lines = ["  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)).rstrip() for row in rows]
        if self._length > 20:
            lines.append(f"... {self._length} rows in all")
        return "\n".join([self.title, *lines] if self.title else lines)

    def _repr_html_(self) -> str:
        right = [column.kind in ("money", "float", "integer") for column in self._columns.values()]
        align = ["right" if is_right else "left" for is_right in right]
        head = "".join(f'<th style="text-align:{a}">{html.escape(name)}</th>' for name, a in zip(self._header(), align, strict=True))
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align:{a}">{html.escape(cell)}</td>' for cell, a in zip(row, align, strict=True)) + "</tr>"
            for row in self._cells(60)
        )
        title = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        more = f"<p>... {self._length} rows in all</p>" if self._length > 60 else ""
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _restore(columns: Mapping[str, tuple[Any, ...]], title: str) -> Table:
    return Table({name: Column(*column) for name, column in columns.items()}, title)


def _plain(value: Any) -> Any:
    """A Python value; NaN, which stands for no value, becomes ``None``."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _cell(kind: Kind, value: Any) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if kind == "money":
        return f"{value:,.2f}"
    if kind == "float":
        return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.2f}"
    if kind == "integer":
        return f"{value:,.0f}"
    if kind == "hour":
        return f"{value:%Y-%m-%d %H:%M}Z"
    return str(value)
