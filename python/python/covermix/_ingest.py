"""Tables of usage from anywhere, in long or wide form, into one matrix of hours x lines. Bad tables are refused with column and first bad hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from . import _native
from ._errors import InputError, UsageError
from ._records import UsageLine

Array = np.ndarray[Any, Any]
Form = Literal["long", "wide"]

#: Microseconds in an hour.
HOUR = 3_600_000_000
TEXTS = ("provider", "service", "region", "sku", "platform", "tenancy", "unit", "account", "availability_zone", "pricing")
NUMBERS = ("quantity", "weight", "billed_price")
ALIGNED = "give instants at the start of an hour"


@dataclass
class Column:
    """A column of any source: numbers, instants (microseconds, UTC), texts (codes into labels), or something that usage does not have."""

    type: str
    numbers: Array | None = None
    instants: Array | None = None
    zone: str | None = None
    codes: Array | None = None
    labels: list[str] | None = None
    nulls: Array | None = None


@dataclass
class Matrix:
    """Usage as the Rust half wants it."""

    first_hour: int
    lines: list[UsageLine]
    quantity: Array
    """Hours x lines, float64, C-contiguous."""
    weights: Array | None = None


def hour_text(hour: int) -> str:
    """An hour counted from the epoch, as people read it."""
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%dT%H:%M:%SZ}"


def refuse(column: str, what: str, remedy: str, hour: int | None = None, item: str | None = None, **place: Any) -> UsageError:
    """An error that names the column and the first bad hour."""
    where = ", ".join(part for part in (f"column `{column}`", item, f"hour {hour_text(hour)}" if hour is not None else None) if part)
    instant = None if hour is None else datetime.fromtimestamp(hour * 3600, UTC)
    return UsageError(f"{where}: {what}; {remedy}", field=column, item=item, hour=instant, remedy=remedy, **place)


# --- sources -------------------------------------------------------------------------------------------------------------------------------


def is_pandas(data: object) -> bool:
    """Whether data is a pandas frame; pandas is not imported to tell."""
    kind = type(data)
    return kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def columns_of(data: Any) -> dict[Any, Column]:
    """The columns of a table of any kind."""
    if is_pandas(data):
        return _of_pandas(data)
    if isinstance(data, Mapping):
        return {name: _of_array(name, values) for name, values in data.items()}
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _of_arrow(data)
    remedy = "give a frame of pandas, Polars or PyArrow, a DuckDB relation, or a dict of NumPy arrays"
    raise InputError(f"a {type(data).__name__} is not a table of usage; {remedy}", field="data", remedy=remedy)


def _of_arrow(data: Any) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for name, given in _native.arrow_columns(data):
        if name in columns:
            raise refuse(name, "the column stands twice", "give each column a name of its own")
        columns[name] = Column(**given)
    return columns


def _of_pandas(frame: Any) -> dict[Any, Column]:
    columns: dict[Any, Column] = {}
    for position, name in enumerate(frame.columns):
        if name in columns:
            raise refuse(str(name), "the column stands twice", "give each column a name of its own")
        series = frame.iloc[:, position]
        columns[name] = _of_series(str(name), series)
    return columns


def _of_series(name: str, series: Any) -> Column:
    import pandas

    kind = series.dtype
    if isinstance(kind, pandas.DatetimeTZDtype):
        instants = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").view(np.int64)
        return Column(str(kind), instants=instants, zone=str(kind.tz), nulls=_nulls(series.isna().to_numpy()))
    if pandas.api.types.is_bool_dtype(kind) or pandas.api.types.is_timedelta64_dtype(kind) or pandas.api.types.is_complex_dtype(kind):
        return Column(str(kind))
    if pandas.api.types.is_numeric_dtype(kind):
        return Column(str(kind), numbers=series.to_numpy(dtype=np.float64, na_value=np.nan), nulls=_nulls(series.isna().to_numpy()))
    if pandas.api.types.is_datetime64_dtype(kind):
        return Column(str(kind), instants=series.to_numpy("datetime64[us]").view(np.int64), nulls=_nulls(series.isna().to_numpy()))
    if isinstance(kind, pandas.CategoricalDtype) or pandas.api.types.is_string_dtype(kind):
        codes, labels = pandas.factorize(series)
        if all(isinstance(label, str) for label in labels):
            return _texts(str(kind), np.asarray(codes), [str(label) for label in labels])
    return _of_array(name, series.to_numpy(dtype=object))


def _of_array(name: str, values: Any) -> Column:
    if hasattr(values, "__arrow_c_stream__") and not isinstance(values, np.ndarray):
        values = np.asarray(values)
    array = np.asarray(values)
    if array.ndim != 1:
        raise refuse(str(name), f"the column has {array.ndim} dimensions", "give one dimension, or use UsageCurves.from_arrays for a matrix")
    kind = array.dtype.kind
    if kind in "iuf":
        return Column(str(array.dtype), numbers=array.astype(np.float64, copy=False))
    if kind == "M":
        return Column(str(array.dtype), instants=array.astype("datetime64[us]").view(np.int64), nulls=_nulls(np.isnat(array)))
    if kind == "U":
        labels, codes = np.unique(array, return_inverse=True)
        return _texts("text", codes, labels.tolist())
    if kind != "O":
        return Column(str(array.dtype))
    nulls = np.array([value is None or value != value for value in array], dtype=np.bool_)
    present = array[~nulls]
    if all(isinstance(value, str) for value in present):
        index: dict[str, int] = {}
        codes = np.array([-1 if null else index.setdefault(value, len(index)) for value, null in zip(array, nulls, strict=True)], dtype=np.int64)
        return _texts("text", codes, list(index))
    if all(isinstance(value, datetime) for value in present):
        zones = {str(value.tzinfo) if value.tzinfo is not None else None for value in present}
        zone = None if None in zones else (zones.pop() if zones else None)
        known = [value if value.tzinfo else value.replace(tzinfo=UTC) for value in present]
        instants = np.zeros(len(array), dtype=np.int64)
        instants[~nulls] = [round(value.timestamp() * 1_000_000) for value in known]
        return Column("datetime", instants=instants, zone=zone, nulls=_nulls(nulls))
    try:
        numbers = np.array([np.nan if null else float(value) for value, null in zip(array, nulls, strict=True)], dtype=np.float64)
    except (TypeError, ValueError):
        kinds = sorted({type(value).__name__ for value in present})
        return Column("object of " + ", ".join(kinds))
    return Column("object", numbers=numbers, nulls=_nulls(nulls))


def _nulls(nulls: Array) -> Array | None:
    return nulls if nulls.any() else None


def _texts(kind: str, codes: Array, labels: list[str]) -> Column:
    missing = codes < 0
    if missing.any():
        # No text is the empty text.
        codes = np.where(missing, len(labels), codes)
        labels = [*labels, ""]
    return Column(kind, codes=codes.astype(np.int64, copy=False), labels=labels)


# --- hours ---------------------------------------------------------------------------------------------------------------------------------


def hours_of(name: str, column: Column, timezone: str | None) -> Array:
    """The hour of each row, counted from the epoch."""
    if timezone not in (None, "UTC"):
        remedy = "give timezone='UTC', or instants with their zone (clocks that change twice a year cannot be read without)"
        raise InputError(f"field `timezone`: `{timezone}` is not UTC; {remedy}", field="timezone", remedy=remedy)
    if column.instants is None and column.labels is not None and column.codes is not None:
        column = _parsed(name, column)
    instants = column.instants
    if instants is None:
        raise refuse(name, f"the type is {column.type}, not an instant with its zone", "give hours as timestamps with a time zone")
    if not len(instants):
        raise refuse(name, "the table is empty: no row of usage", "give at least one row")
    if column.nulls is not None:
        row = int(np.argmax(column.nulls))
        raise refuse(name, f"row {row} (from 0) has no hour", "give the hour of every row", line=row)
    if column.zone is None and timezone is None:
        first = int(instants.min()) // HOUR
        raise refuse(name, f"the instants have no time zone ({column.type})", "give aware instants, or timezone='UTC' if they are UTC", first)
    bad = instants % HOUR != 0
    if bad.any():
        at = int(instants[bad].min())
        text = datetime.fromtimestamp(at / 1e6, UTC).isoformat()
        raise refuse(name, f"{text} is not the start of an hour", ALIGNED, at // HOUR)
    return instants // HOUR


def _parsed(name: str, column: Column) -> Column:
    """Instants of texts in ISO 8601."""
    assert column.labels is not None and column.codes is not None
    instants = np.empty(len(column.labels), dtype=np.int64)
    zone: str | None = "UTC"
    for index, text in enumerate(column.labels):
        try:
            instant = datetime.fromisoformat(text.strip())
        except ValueError:
            remedy = "write hours such as 2024-01-01T00:00:00Z"
            raise refuse(name, f"`{text}` is not an instant", remedy, line=int(np.argmax(column.codes == index))) from None
        zone = None if instant.tzinfo is None else zone
        known = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        instants[index] = round(known.timestamp() * 1_000_000)
    return Column(column.type, instants=instants[column.codes], zone=zone)


def numbers_of(name: str, column: Column, hours: Array) -> Array:
    """Finite numbers of 0 or more."""
    if column.numbers is None:
        first = int(hours.min())
        if column.labels is not None and column.codes is not None:
            wrong = np.array([not _is_number(label) for label in column.labels])
            if wrong.any():
                bad = wrong[column.codes]
                first = int(hours[bad].min())
                example = column.labels[int(column.codes[bad & (hours == first)][0])]
                raise refuse(name, f"the type is {column.type}, not a number (`{example}`)", "give float64 quantities", first)
        raise refuse(name, f"the type is {column.type}, not a number", "convert the column to float64", first)
    numbers = column.numbers
    nulls = column.nulls if column.nulls is not None else np.zeros(len(numbers), dtype=np.bool_)
    for bad, what, remedy in (
        (nulls | np.isnan(numbers), "the value is missing", "give a finite number; write 0 for an hour without usage"),
        (np.isinf(numbers), "the value is infinite", "give a finite number"),
        (numbers < 0, "the value is negative", "give a value of 0 or more; net corrections and refunds first"),
    ):
        if bad.any():
            raise refuse(name, what, remedy, int(hours[bad].min()))
    return numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def grid_of(name: str, hours: Array) -> tuple[int, int, Array]:
    """First hour, number of hours and the order of the rows, where each row is an hour of its own."""
    order = np.argsort(hours, kind="stable")
    ordered = hours[order]
    steps = np.diff(ordered)
    if (steps == 0).any():
        raise refuse(name, "the hour is given twice", "give each hour once; add up the rows", int(ordered[int(np.argmax(steps == 0))]))
    if (steps > 1).any():
        before = int(ordered[int(np.argmax(steps > 1))])
        missing = int((steps - 1).sum())
        what = f"{missing} hour(s) are missing, from this one on; the table covers {hour_text(int(ordered[0]))} to {hour_text(int(ordered[-1]))}"
        raise refuse(name, what, "give every hour; write 0 for an hour without usage", before + 1)
    return int(ordered[0]), len(hours), order


# --- forms ---------------------------------------------------------------------------------------------------------------------------------


def read(
    data: Any,
    *,
    form: Form | None,
    lines: Mapping[Any, UsageLine | Mapping[str, Any]] | None,
    defaults: Mapping[str, Any],
    hour: str,
    timezone: str | None,
) -> Matrix:
    """A table in long or wide form."""
    names = list(data.columns) if is_pandas(data) else None
    if form is None and names is not None:
        form = "long" if "quantity" in names else "wide"
    if form == "wide" and is_pandas(data) and hour not in (names or ()):
        return _wide_pandas(data, lines, defaults, timezone)
    columns = columns_of(data)
    if form is None:
        form = "long" if "quantity" in columns else "wide"
    if hour not in columns:
        found = ", ".join(map(str, columns))
        raise refuse(hour, f"the column is missing; there are: {found}", f"add the column `{hour}`, or name it with hour=")
    hours = hours_of(hour, columns.pop(hour), timezone)
    return _long(columns, hours, hour, defaults) if form == "long" else _wide(columns, hours, hour, lines, defaults)


def _line_of(column: Any, lines: Mapping[Any, UsageLine | Mapping[str, Any]] | None, defaults: Mapping[str, Any]) -> UsageLine:
    """The line of a column in wide form: by `lines`, by the levels of its name, by its words, or by its SKU with defaults."""
    if lines is not None:
        if column not in lines:
            raise refuse(str(column), "`lines` says nothing of this column", "give `lines` an entry for every column")
        given = lines[column]
        return given if isinstance(given, UsageLine) else UsageLine(**{**defaults, **given})
    if isinstance(column, UsageLine):
        return column
    text = str(column)
    if {"provider", "service"} <= set(defaults):
        return UsageLine(**{**defaults, "sku": text})
    words, _, account = text.partition(" of account ")
    parts = words.split("/")
    if not 4 <= len(parts) <= 7:
        remedy = "give lines={column: UsageLine(...)}, or defaults with provider and service if columns are SKUs"
        raise refuse(text, "the name does not say which usage line this is", remedy)
    return UsageLine(**dict(zip(("provider", "service", "region", "sku", "platform", "tenancy", "unit"), parts, strict=False)), account=account)


def _wide_pandas(
    frame: Any, lines: Mapping[Any, UsageLine | Mapping[str, Any]] | None, defaults: Mapping[str, Any], timezone: str | None
) -> Matrix:
    """A frame with its hours in the index. A frame of float64 in one C-contiguous block, in the order of hours and lines, is not copied."""
    import pandas

    index = frame.index
    name = str(index.name or "index")
    if not isinstance(index, pandas.DatetimeIndex):
        raise refuse(name, f"the type of the index is {index.dtype}, not an instant with its zone", "set the hours as index, or give a column `hour`")
    hours = hours_of(name, _of_series(name, index.to_series()), timezone)
    first, count, order = grid_of(name, hours)
    if isinstance(frame.columns, pandas.MultiIndex) and lines is None:
        levels = [str(level) for level in frame.columns.names]
        known = [UsageLine(**{**defaults, **dict(zip(levels, map(str, column), strict=True))}) for column in frame.columns]
    else:
        known = [_line_of(column, lines, defaults) for column in frame.columns]
    if not known:
        raise refuse("columns", "there is no usage line", "give at least one column")
    if all(kind == np.float64 for kind in frame.dtypes):
        quantity = frame.to_numpy(copy=False)
    else:
        columns = [numbers_of(str(name), _of_series(str(name), frame.iloc[:, at]), hours) for at, name in enumerate(frame.columns)]
        quantity = np.column_stack(columns)
    return arranged(first, known, quantity, order, [str(column) for column in frame.columns])


def _wide(
    columns: dict[Any, Column],
    hours: Array,
    hour: str,
    lines: Mapping[Any, UsageLine | Mapping[str, Any]] | None,
    defaults: Mapping[str, Any],
) -> Matrix:
    first, _, order = grid_of(hour, hours)
    weights = columns.pop("weight", None)
    if not columns:
        raise refuse(hour, "there is no usage line beside the hours", "give at least one column of quantities")
    known = [_line_of(name, lines, defaults) for name in columns]
    numbers = [numbers_of(str(name), column, hours) for name, column in columns.items()]
    matrix = arranged(first, known, np.column_stack(numbers), order, [str(name) for name in columns])
    if weights is not None:
        matrix.weights = np.ascontiguousarray(numbers_of("weight", weights, hours)[order])
    return matrix


def arranged(first: int, lines: list[UsageLine], quantity: Array, order: Array | None, names: Sequence[str]) -> Matrix:
    """Rows by hour, columns by line, C-contiguous; copied only where one of these is not so already."""
    if order is not None and (np.diff(order) != 1).any():
        quantity = quantity[order]
    check_values(first, quantity, names)
    sorting = sorted(range(len(lines)), key=lambda index: lines[index]._key())
    if sorting != list(range(len(lines))):
        quantity, lines = quantity[:, sorting], [lines[index] for index in sorting]
    return Matrix(first, lines, np.ascontiguousarray(quantity, dtype=np.float64))


def check_values(first: int, quantity: Array, names: Sequence[str]) -> None:
    """Refuses values that are missing, infinite or negative, by column and hour; in one pass where all is well."""
    with np.errstate(invalid="ignore"):
        total, least = quantity.sum(), quantity.min(initial=0.0)
    if np.isfinite(total) and least >= 0:
        return
    for row in range(quantity.shape[0]):
        values = quantity[row]
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            column = int(np.argmax(bad))
            value = values[column]
            what = "the value is missing" if np.isnan(value) else ("the value is infinite" if np.isinf(value) else "the value is negative")
            raise refuse(names[column], what, "give a finite number of 0 or more; write 0 for an hour without usage", first + row)


def _long(columns: dict[Any, Column], hours: Array, hour: str, defaults: Mapping[str, Any]) -> Matrix:
    known = {*TEXTS, *NUMBERS}
    unknown = [str(name) for name in columns if name not in known and not str(name).startswith("tag:")]
    if unknown:
        remedy = "remove or rename it, or prefix it with `tag:` to keep it as a tag"
        raise refuse(unknown[0], f"the column is not known; there can be {hour}, {', '.join(TEXTS)}, {', '.join(NUMBERS)}", remedy)
    for name in ("provider", "service", "sku", "quantity"):
        if name not in columns and name not in defaults:
            raise refuse(name, f"the column is missing; there are: {', '.join(map(str, columns))}", f"add the column `{name}`, or give it in defaults")
    quantity = numbers_of("quantity", columns["quantity"], hours)
    fields = [str(name) for name in columns if name not in NUMBERS]
    stream = np.zeros(len(hours), dtype=np.int64)
    for name in fields:
        column = columns[name]
        if column.numbers is not None and np.isnan(column.numbers).all():
            # A column without any value reads as numbers.
            column = columns[name] = Column("empty", codes=np.zeros(len(hours), dtype=np.int64), labels=[""])
        if column.labels is None or column.codes is None:
            raise refuse(name, f"the type is {column.type}, not a text", "convert the column to text", int(hours.min()))
        if len(column.labels) > 1:
            _, stream = np.unique(stream * len(column.labels) + column.codes, return_inverse=True)
    rows = np.unique(stream, return_index=True)[1]
    prices = columns.get("billed_price")
    lines: list[UsageLine] = []
    for row in rows:
        values: dict[str, Any] = dict(defaults)
        tags: dict[str, str] = {}
        for name in fields:
            column = columns[name]
            assert column.labels is not None and column.codes is not None
            text = column.labels[int(column.codes[row])]
            if not name.startswith("tag:"):
                values[name] = text
            elif text:
                tags[name.removeprefix("tag:")] = text
        lines.append(UsageLine(**{**values, "tags": tags}))
    order = sorted(range(len(lines)), key=lambda index: lines[index]._key())
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    lines = [lines[index] for index in order]
    stream = rank[stream]
    if prices is not None:
        lines = _with_prices(lines, stream, prices)
    first, last = int(hours.min()), int(hours.max())
    shape = (last - first + 1, len(lines))
    if shape[0] > 100 * len(hours):
        raise refuse(hour, f"the hours span {shape[0]} hours in {len(hours)} rows", "correct the hours", first)
    position = (hours - first) * shape[1] + stream
    filled = np.bincount(position, minlength=shape[0] * shape[1])
    if (filled > 1).any():
        at = int(np.argmax(filled > 1))
        line = lines[at % shape[1]].name
        raise refuse(hour, "the hour is given twice for this usage line", "add up the quantities of the rows", first + at // shape[1], line)
    if (filled == 0).any():
        at = int(np.argmax(filled == 0))
        line = lines[at % shape[1]].name
        missing = int((filled.reshape(shape)[:, at % shape[1]] == 0).sum())
        what = f"{missing} hour(s) of this usage line are missing, from this one on; the table covers {hour_text(first)} to {hour_text(last)}"
        raise refuse(hour, what, "give every hour of every usage line; write 0 for an hour without usage", first + at // shape[1], line)
    matrix = np.empty(shape, dtype=np.float64)
    matrix.reshape(-1)[position] = quantity
    weights = None
    if "weight" in columns:
        given = numbers_of("weight", columns["weight"], hours)
        weights = np.empty(shape[0], dtype=np.float64)
        weights[hours - first] = given
        other = weights[hours - first] != given
        if other.any():
            remedy = "give all rows of an hour the same weight"
            raise refuse("weight", "rows of this hour have different weights", remedy, int(hours[other].min()))
    return Matrix(first, lines, matrix, weights)


def _with_prices(lines: list[UsageLine], stream: Array, prices: Column) -> list[UsageLine]:
    """The highest billed price of each line."""
    from dataclasses import replace
    from decimal import Decimal

    if prices.numbers is None:
        raise refuse("billed_price", f"the type is {prices.type}, not a number", "convert the column to float64")
    highest = np.full(len(lines), -np.inf)
    given = np.where(np.isnan(prices.numbers), -np.inf, prices.numbers)
    if prices.nulls is not None:
        given = np.where(prices.nulls, -np.inf, given)
    np.maximum.at(highest, stream, given)
    return [
        line if np.isneginf(price) else replace(line, billed_price=Decimal(repr(float(price))))
        for line, price in zip(lines, highest, strict=True)
    ]
