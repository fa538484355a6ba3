"""Usage from every kind of table, in long and wide form; what is refused, and where; memory that is shared."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import covermix
import numpy as np
import pytest
from conftest import START, curves, line
from covermix import UsageCurves, UsageError

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
duckdb = pytest.importorskip("duckdb")

DEFAULTS = {"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "platform": "Linux", "tenancy": "shared", "unit": "instance-hour"}
HOURS = 30


def long_frame(usage: UsageCurves) -> Any:
    """The curves as a long pandas frame, rows shuffled."""
    rows = []
    for column, one in enumerate(usage.lines):
        for hour, quantity in zip(usage.hours, usage.quantity[:, column], strict=True):
            rows.append({"hour": pandas.Timestamp(hour, tz="UTC"), **DEFAULTS, "sku": one.sku, "account": one.account, "quantity": quantity})
    return pandas.DataFrame(rows).sample(frac=1, random_state=3)


def wide_frame(usage: UsageCurves) -> Any:
    index = pandas.DatetimeIndex(usage.hours.astype("datetime64[s]"), tz="UTC", name="hour")
    return pandas.DataFrame(np.array(usage.quantity), index=index, columns=[one.name for one in usage.lines])


def from_long(usage: UsageCurves) -> dict[str, Any]:
    frame = long_frame(usage)
    naive = frame.assign(hour=frame["hour"].dt.tz_localize(None))
    return {
        "pandas": frame,
        "pandas, categories": frame.astype({"sku": "category"}),
        "pandas on arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "polars": polars.from_pandas(frame),
        "pyarrow": pyarrow.Table.from_pandas(frame, preserve_index=False),
        "pyarrow, another zone": pyarrow.table(polars.from_pandas(frame).with_columns(polars.col("hour").dt.convert_time_zone("Europe/Paris"))),
        "record batches": pyarrow.Table.from_pandas(frame, preserve_index=False).to_reader(max_chunksize=7),
        "text hours": {**{name: frame[name].to_numpy() for name in frame if name != "hour"}, "hour": frame["hour"].map(lambda at: at.isoformat()).tolist()},
        "datetimes": {**{name: frame[name].tolist() for name in frame}, "hour": frame["hour"].dt.to_pydatetime().tolist()},
        "numpy": ({name: naive[name].to_numpy() for name in naive}, {"timezone": "UTC"}),
    }


LONG = ["pandas", "pandas, categories", "pandas on arrow", "polars", "pyarrow", "pyarrow, another zone", "record batches", "text hours", "datetimes", "numpy"]


@pytest.mark.parametrize("kind", LONG)
def test_long_form_of_any_kind_gives_the_same_curves(kind: str) -> None:
    usage = curves(HOURS)
    given = from_long(usage)
    assert sorted(given) == sorted(LONG)
    data, options = given[kind] if isinstance(given[kind], tuple) else (given[kind], {})
    assert UsageCurves.from_table(data, **options) == usage


def test_a_duckdb_relation_gives_the_same_curves() -> None:
    usage = curves(HOURS)
    frame = long_frame(usage)
    connection = duckdb.connect()
    connection.register("frame", pyarrow.Table.from_pandas(frame, preserve_index=False))
    relation = connection.sql("select * from frame order by quantity")
    assert UsageCurves.from_table(relation) == usage


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "dict", "multi-index", "lines", "defaults", "reversed", "int32"])
def test_wide_form_of_any_kind_gives_the_same_curves(kind: str) -> None:
    usage = curves(HOURS)
    frame = wide_frame(usage)
    table = frame.reset_index()
    lines = dict(zip(frame.columns, usage.lines, strict=True))
    by_sku = frame.set_axis([one.sku for one in usage.lines], axis=1)
    given: dict[str, tuple[Any, dict[str, Any]]] = {
        "pandas": (frame, {}),
        "polars": (polars.from_pandas(table), {}),
        "pyarrow": (pyarrow.Table.from_pandas(table, preserve_index=False), {}),
        "dict": ({"hour": usage.hours, **{name: frame[name].to_numpy() for name in frame}}, {"timezone": "UTC"}),
        "multi-index": (usage.to_pandas(), {}),
        "lines": (table.rename(columns=lambda name: f"column {name}"), {"lines": {f"column {name}": one for name, one in lines.items()}, "hour": "column hour"}),
        "defaults": (by_sku, {"defaults": {**DEFAULTS, "account": "a"}}),
        "reversed": (frame.iloc[::-1, ::-1], {}),
        "int32": (frame.astype("int32"), {}),
    }
    data, options = given[kind]
    assert UsageCurves.from_table(data, **options) == usage


def test_what_goes_out_comes_back() -> None:
    usage = curves(HOURS)
    assert UsageCurves.from_table(usage) == usage
    assert UsageCurves.from_table(usage.to_polars()) == usage
    assert UsageCurves.from_table(pyarrow.table(usage)) == usage
    assert UsageCurves.from_table(usage.to_pandas()) == usage


def broken(change: str) -> tuple[Any, dict[str, Any]]:
    """A wide frame with something wrong at a known place."""
    usage = curves(HOURS)
    frame = wide_frame(usage)
    first = frame.columns[0]
    if change == "naive":
        return frame.tz_localize(None), {}
    if change == "duplicate":
        return pandas.concat([frame, frame.iloc[[4]]]), {}
    if change == "missing":
        return frame.drop(frame.index[[7, 8]]), {}
    if change == "half":
        return frame.set_axis(frame.index + pandas.Timedelta(minutes=30), axis=0), {}
    if change == "nan":
        frame.iloc[5, 0] = np.nan
    if change == "negative":
        frame.iloc[6, 1] = -1.0
    if change == "infinite":
        frame.iloc[9, 2] = np.inf
    if change == "text":
        return frame.astype({first: object}).assign(**{first: ["1"] * 3 + ["many"] + ["1"] * (HOURS - 4)}), {}
    if change == "boolean":
        return frame.assign(**{first: True}), {}
    if change == "no instants":
        return frame.reset_index(drop=True), {}
    return frame, {}


@pytest.mark.parametrize(
    ("change", "field", "hours", "words"),
    [
        ("naive", "hour", 0, "no time zone"),
        ("duplicate", "hour", 4, "given twice"),
        ("missing", "hour", 7, "2 hour(s) are missing"),
        ("half", "hour", 0, "not the start of an hour"),
        ("nan", "m5.large", 5, "missing"),
        ("negative", "m5.xlarge", 6, "negative"),
        ("infinite", "r5.large", 9, "infinite"),
        ("text", "m5.large", 3, "not a number (`many`)"),
        ("boolean", "m5.large", 0, "bool"),
        ("no instants", "index", None, "not an instant"),
    ],
)
def test_wide_errors_name_column_and_first_bad_hour(change: str, field: str, hours: int | None, words: str) -> None:
    data, options = broken(change)
    with pytest.raises(UsageError) as caught:
        UsageCurves.from_table(data, **options)
    error = caught.value
    assert error.field is not None and field in error.field and f"column `{error.field}`" in str(error)
    assert words in str(error)
    assert error.hour == (None if hours is None else START + timedelta(hours=hours)), error
    assert error.remedy and error.remedy in str(error)


@pytest.mark.parametrize(
    ("change", "field", "hours", "words"),
    [
        (lambda frame: frame.assign(hour=frame["hour"].dt.tz_localize(None)), "hour", 0, "no time zone"),
        (lambda frame: pandas.concat([frame, frame[(frame["hour"] == frame["hour"].min() + pandas.Timedelta(hours=2))].head(1)]), "hour", 2, "given twice"),
        (lambda frame: frame[~((frame["hour"] == frame["hour"].min() + pandas.Timedelta(hours=3)) & (frame["sku"] == "r5.large"))], "hour", 3, "1 hour(s)"),
        (lambda frame: frame.assign(quantity=frame["quantity"].where(frame["hour"] != frame["hour"].min() + pandas.Timedelta(hours=5))), "quantity", 5, "missing"),
        (lambda frame: frame.assign(quantity=frame["quantity"].astype(str) + " units"), "quantity", 0, "not a number"),
        (lambda frame: frame.assign(colour="blue"), "colour", None, "not known"),
        (lambda frame: frame.drop(columns="sku"), "sku", None, "missing"),
        (lambda frame: frame.drop(columns="hour"), "hour", None, "missing"),
        (lambda frame: frame.assign(sku=5), "sku", 0, "not a text"),
    ],
)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_long_errors_name_column_and_first_bad_hour(change: Any, field: str, hours: int | None, words: str, library: str) -> None:
    frame = change(long_frame(curves(HOURS)))
    data = polars.from_pandas(frame) if library == "polars" else frame
    with pytest.raises(UsageError) as caught:
        UsageCurves.from_table(data, form="long")
    error = caught.value
    assert error.field == field and words in str(error), error
    assert error.hour == (None if hours is None else START + timedelta(hours=hours)), error


def test_the_memory_of_an_array_is_shared_both_ways() -> None:
    array = np.arange(48.0).reshape(24, 2)
    usage = UsageCurves.from_arrays(array, START, [line("m5.large"), line("m5.xlarge")])
    assert np.shares_memory(usage.quantity, array) and not usage.quantity.flags.writeable
    copied = UsageCurves.from_arrays(array, START, [line("m5.large"), line("m5.xlarge")], copy=True)
    assert not np.shares_memory(copied.quantity, array) and copied == usage
    # Lines in another order: sorted into memory of their own.
    turned = UsageCurves.from_arrays(array[:, ::-1], START, [line("m5.xlarge"), line("m5.large")])
    assert turned == usage and not np.shares_memory(turned.quantity, array)


def test_a_pandas_frame_of_one_block_is_not_copied() -> None:
    array = np.ascontiguousarray(curves(HOURS).quantity)
    index = pandas.date_range(START, periods=HOURS, freq="h", name="hour")
    frame = pandas.DataFrame(array, index=index, columns=[one.name for one in curves(HOURS).lines], copy=False)
    usage = UsageCurves.from_table(frame)
    assert np.shares_memory(usage.quantity, frame.to_numpy(copy=False))
    assert np.shares_memory(usage.quantity, array)


def test_the_owner_of_shared_memory_may_go() -> None:
    usage = UsageCurves.from_arrays(np.full((1000, 2), 3.0), START, [line("m5.large"), line("m5.xlarge")])
    view = usage.quantity
    del usage
    junk = [np.random.default_rng(index).random((1000, 2)) for index in range(20)]
    assert (view == 3.0).all() and len(junk) == 20


def test_copies_pickles_and_equality(usage: UsageCurves) -> None:
    weighted = usage.with_weights(np.linspace(1, 2, len(usage)))
    for one in (usage, weighted):
        again = pickle.loads(pickle.dumps(one))
        assert again == one and hash(again) == hash(one)
        assert copy.copy(one) == one and copy.deepcopy(one) == one
    assert weighted != usage and usage != 3


def test_files_read_back(tmp_path: Any, usage: UsageCurves) -> None:
    usage.write(tmp_path / "usage.csv.gz")
    assert UsageCurves.read(tmp_path / "usage.csv.gz") == usage
    with pytest.raises(covermix.FileError) as caught:
        UsageCurves.read(tmp_path / "absent.csv")
    assert "absent.csv" in str(caught.value) and caught.value.remedy
    bad = tmp_path / "bad.csv"
    bad.write_text("hour,provider,service,region,sku,quantity\n2024-01-01T00:00:00Z,aws,AmazonEC2,us-east-1,m5.large,-1\n")
    with pytest.raises(covermix.InputError) as wrong:
        UsageCurves.read(bad)
    assert (wrong.value.line, wrong.value.field, wrong.value.hour) == (2, "quantity", datetime(2024, 1, 1, tzinfo=UTC))


def test_selections_and_views(usage: UsageCurves) -> None:
    part = usage.filter(sku="m5.*")
    assert [one.sku for one in part.lines] == ["m5.large", "m5.xlarge"]
    np.testing.assert_array_equal(part.quantity, usage.quantity[:, :2])
    day = usage.between(START + timedelta(days=1), START + timedelta(days=2))
    np.testing.assert_array_equal(day.quantity, usage.quantity[24:48])
    np.testing.assert_allclose(usage.totals(), usage.quantity.sum(axis=0))
    with pytest.raises(covermix.InputError, match="takes no usage line"):
        usage.filter(sku="z1.*")
    assert "m5.xlarge" in usage._repr_html_() and len(usage.to_table()) == len(usage)
    frame = usage.to_pandas()
    assert frame.shape == usage.shape and str(frame.index.tz) == "UTC" and np.shares_memory(frame.to_numpy(), usage.quantity)
