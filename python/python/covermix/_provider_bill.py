"""Bills of providers (FOCUS, AWS Cost and Usage Reports, Azure and Google exports), read by the program ``covermix``.

The reader is built on DataFusion and larger than a wheel may be, so it is a program of its own, which runs beside Python with bounded memory.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from ._catalog import Catalog, Portfolio
from ._document import Record
from ._errors import FileError, InputError, SolverError, UnknownSku
from ._table import Table
from ._usage import UsageCurves

__all__ = [
    "BillMoney",
    "BillProgress",
    "ChargeMoney",
    "OwnerCost",
    "Owners",
    "ProviderBill",
    "Reconciliation",
    "ReconciliationEntry",
    "Treatment",
    "find_program",
    "read_bill",
]

#: Names the program, where it is neither beside Python nor on the path.
PROGRAM = "COVERMIX_PROGRAM"


class Treatment(StrEnum):
    """What became of rows of a bill."""

    USAGE = "usage"
    """Hourly usage that commitments can cover."""
    UNCOVERABLE_USAGE = "uncoverable_usage"
    """Hourly usage that none can: spot, free tier."""
    COMMITMENTS = "commitments"
    """Commitments held, their fees and what of them was unused."""
    SET_ASIDE = "set_aside"
    """Tax, support, marketplace, credits: counted, and not used."""


@dataclass(frozen=True, slots=True)
class ReconciliationEntry(Record):
    """Rows of one kind."""

    treatment: Treatment
    reason: str
    rows: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Reconciliation(Record):
    """Where every row and all money of a bill went. The entries add up to the bill."""

    currency: str
    rows: int
    """All rows of the bill."""
    cost: Decimal
    """The bill's total: the plain sum of its cost."""
    entries: tuple[ReconciliationEntry, ...]

    def cost_of(self, treatment: Treatment | str) -> Decimal:
        """The cost of the rows with a treatment."""
        return sum((entry.cost for entry in self.entries if entry.treatment == treatment), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """The bill's total less that of the entries: 0."""
        return self.cost - sum((entry.cost for entry in self.entries), Decimal(0))

    def to_table(self) -> Table:
        """The entries as a table."""
        return Table.of(
            "Where the bill went",
            treatment=("text", [entry.treatment.value for entry in self.entries]),
            reason=("text", [entry.reason for entry in self.entries]),
            rows=("integer", [entry.rows for entry in self.entries]),
            cost=("money", [entry.cost for entry in self.entries], self.currency),
        )

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()


@dataclass(frozen=True, slots=True)
class ChargeMoney(Record):
    """The money of one kind of charges."""

    rows: int
    billed: Decimal
    effective: Decimal
    """With fees of commitments amortised."""
    list: Decimal
    """At public on-demand prices."""
    contracted: Decimal
    """At the customer's own on-demand prices."""
    unpriced_rows: int
    """Rows of covered usage of which the bill does not say the on-demand price, nor does the catalog."""


@dataclass(frozen=True, slots=True)
class BillMoney(Record):
    """The money of a bill, by kind of charge, and the rates that follow."""

    billed: Decimal
    effective: Decimal
    effective_savings_rate: float | None
    """``1 - effective / list`` of usage and commitments (FinOps Foundation); ``None`` where :attr:`no_savings_rate_because` says why."""
    effective_savings_rate_contracted: float | None
    no_savings_rate_because: str | None
    coverage: float | None
    utilisation: float | None
    kinds: dict[str, ChargeMoney]
    """By ``on_demand``, ``covered``, ``spot``, ``free_tier``, ``unused``, ``purchase``, ``other``."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> BillMoney:
        """As the program writes it."""
        kinds = {name: ChargeMoney.from_dict(kind) for name, kind in document["kinds"].items()}
        exact = {name: Decimal(document[name]) for name in ("billed", "effective")}
        return cls(**{**document, **exact, "kinds": kinds})


@dataclass(frozen=True, slots=True)
class OwnerCost(Record):
    """What an owner is charged."""

    rows: int
    billed: Decimal
    effective: Decimal
    shared: Decimal
    """Its part of shared cost."""
    charged: Decimal


@dataclass(frozen=True, slots=True)
class Owners(Record):
    """A bill by owner, by the rules given."""

    currency: str
    owners: dict[str, OwnerCost]
    unowned: OwnerCost
    coverage: float | None
    """The share of cost that has an owner."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Owners:
        """As the program writes it."""
        owners = {name: OwnerCost.from_dict(cost) for name, cost in document["owners"].items()}
        return cls(document["currency"], owners, OwnerCost.from_dict(document["unowned"]), document["coverage"])

    def to_table(self) -> Table:
        """By owner, the dearest first."""
        rows = sorted(self.owners.items(), key=lambda item: (-item[1].charged, item[0]))
        return Table.of(
            "Owners",
            owner=("text", [name for name, _ in rows]),
            billed=("money", [cost.billed for _, cost in rows], self.currency),
            shared=("money", [cost.shared for _, cost in rows], self.currency),
            charged=("money", [cost.charged for _, cost in rows], self.currency),
        )


@dataclass(frozen=True, slots=True)
class BillProgress:
    """How far reading is."""

    phase: str
    """``checked`` or ``read``."""
    rows: int
    mebibytes: int
    """Of text."""


@dataclass(frozen=True)
class ProviderBill:
    """A bill as a provider sent it: hourly usage, the commitments held, and where every row and all money went. Made by :func:`read_bill`."""

    format: str
    """As it was recognised."""
    currency: str
    months: tuple[str, ...]
    usage: UsageCurves
    portfolio: Portfolio | None
    """The commitments held; ``None`` without a catalog, which they refer to."""
    reconciliation: Reconciliation
    money: BillMoney
    owners: Owners | None
    """The bill by owner, if rules were given."""
    unpriced: tuple[UnknownSku, ...]
    """Usage lines that the catalog has no price for. :meth:`UsageCurves.priced_by` leaves them out."""
    notes: tuple[str, ...]
    """Everything that was inferred or left out, in words."""

    def __repr__(self) -> str:
        held = "" if self.portfolio is None else f", {self.portfolio!r}"
        return f"ProviderBill({self.format} of {', '.join(self.months)}, {self.reconciliation.cost:,.2f} {self.currency}, {self.usage!r}{held})"

    def _repr_html_(self) -> str:
        return self.reconciliation._repr_html_()


def find_program(program: str | os.PathLike[str] | None = None) -> Path:
    """The program ``covermix``: the one given, that of the variable ``COVERMIX_PROGRAM``, that beside the interpreter, or that on the path.

    Raises :class:`FileError` if there is none.
    """
    named = program if program is not None else os.environ.get(PROGRAM)
    name = "covermix.exe" if sys.platform == "win32" else "covermix"
    if named is not None:
        found = shutil.which(os.fspath(named))
        where = os.fspath(named)
    else:
        found = shutil.which(name, path=os.path.dirname(sys.executable)) or shutil.which(name)
        where = f"{name} beside {sys.executable} and on PATH"
    if found is None:
        remedy = f"build it with `cargo build --release -p covermix-cli`, then put it on PATH or name it in {PROGRAM} or program="
        raise FileError(f"{where}: there is no such program, and bills are read by it; {remedy}", file=where, field="program", remedy=remedy)
    return Path(found)


def read_bill(
    *paths: str | os.PathLike[str],
    catalog: Catalog | str | os.PathLike[str] | None = None,
    spread: bool = False,
    time_zone: str = "UTC",
    owners: str | os.PathLike[str] | None = None,
    contracts: Iterable[str | os.PathLike[str]] = (),
    machine_types: str | os.PathLike[str] | None = None,
    exclude_unknown: bool = False,
    memory: int = 2048,
    folder: str | os.PathLike[str] | None = None,
    program: str | os.PathLike[str] | None = None,
    progress: bool | Callable[[BillProgress], object] = False,
) -> ProviderBill:
    """Reads billing exports of one format (FOCUS, CUR, Azure, Google; CSV, JSON or Parquet), of one or more consecutive months.

    ``catalog`` is what the commitments on the bill refer to; without it there is no portfolio. ``spread`` spreads rows of more than an hour evenly
    over their hours; they are refused otherwise. ``time_zone`` is that of times that name none. ``owners`` is a file of rules that give cost an
    owner (TOML), ``contracts`` the files of FOCUS's ContractCommitment dataset, ``machine_types`` Google's table of machine types.
    ``exclude_unknown`` leaves commitments out that the catalog has no offer or price of, and lists them in the notes, instead of refusing them.
    ``memory`` is what the reader may use, in MiB; what needs more goes to disk. ``folder`` keeps the files that are written on the way
    (``usage.csv.gz``, ``portfolio.json``, ``reconciliation.json``, ``owners.json``). ``progress=True`` shows a tqdm bar if tqdm is there.

    The work is done by the program ``covermix`` (:func:`find_program`); Ctrl-C ends it. Raises :class:`FileError` if there is no such program,
    and :class:`InputError` with what is wrong with the bill: file, row, column and remedy.
    """
    if not paths:
        raise InputError("field `paths`: there are no files; give the path of at least one billing export", field="paths")
    found = find_program(program)
    with tempfile.TemporaryDirectory(prefix="covermix-") as temporary:
        out = Path(folder if folder is not None else temporary)
        arguments = [str(found), "--json", "ingest", *(os.fspath(path) for path in paths)]
        arguments += ["--out", str(out), "--time-zone", time_zone, "--memory", str(memory)]
        known: Catalog | None = None
        if catalog is not None:
            known = catalog if isinstance(catalog, Catalog) else Catalog.read(catalog)
            given = Path(temporary) / "catalog.json.gz"
            known.write(given)
            arguments += ["--catalog", str(given)]
        for option, path in (("--owners", owners), ("--machine-types", machine_types)):
            arguments += [] if path is None else [option, os.fspath(path)]
        for contract in contracts:
            arguments += ["--contracts", os.fspath(contract)]
        arguments += ["--spread"] * spread + ["--exclude-unknown"] * exclude_unknown
        document = _run(arguments, progress)
        usage = UsageCurves.read(document["written"]["usage"])
        portfolio = None if known is None else Portfolio.read(document["written"]["portfolio"], known)
    unpriced = ((row["line"], row["quantity"], row["on_demand_cost"]) for row in document["usage"]["unpriced"])
    return ProviderBill(
        format=document["format"],
        currency=document["currency"],
        months=tuple(map(_month, document["months"])),
        usage=usage,
        portfolio=portfolio,
        reconciliation=Reconciliation.from_dict(document["reconciliation"]),
        money=BillMoney.from_dict(document["money"]),
        owners=None if document["owners"] is None else Owners.from_dict(document["owners"]),
        unpriced=tuple(UnknownSku(*row) for row in unpriced),
        notes=tuple(document["notes"]),
    )


def _month(month: Any) -> str:
    return month if isinstance(month, str) else f"{month['year']:04}-{month['month']:02}"


def _run(arguments: list[str], progress: bool | Callable[[BillProgress], object]) -> dict[str, Any]:
    """The document that the program prints, or its error."""
    with _teller(progress) as tell, _listener(tell) as (errors, listen):
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            try:
                while process.poll() is None:
                    listen()
            except BaseException:
                _end(process)
                raise
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        document = {}
    if process.returncode in (130, -signal.SIGINT):
        raise KeyboardInterrupt
    if "error" in document:
        message = document["error"]
        raise InputError(message, remedy=message.rpartition("; ")[2] or None)
    if process.returncode != 0 or document.get("schema") != "covermix-ingest/1":
        remedy = "use the program of the version of this package"
        raise SolverError(f"{arguments[0]} ended with exit code {process.returncode} and no document that is known; {remedy}", remedy=remedy)
    return document


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the program, kindly first."""
    process.terminate()
    try:
        process.wait(0.3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _teller(progress: bool | Callable[[BillProgress], object]) -> Iterator[Callable[[BillProgress], object] | None]:
    """What is called with progress."""
    if progress is False or callable(progress):
        yield progress if callable(progress) else None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(desc="rows of the bill", unit="row", unit_scale=True) as bar:

        def advance(state: BillProgress) -> None:
            bar.update(max(state.rows - bar.n, 0))
            bar.set_postfix_str(f"{state.phase}, {state.mebibytes} MiB")

        yield advance


#: What the program shows on a terminal.
SHOWN = re.compile(rb"(checked|read) (\d+) rows, (\d+) MiB of text")


@contextmanager
def _listener(tell: Callable[[BillProgress], object] | None) -> Iterator[tuple[int, Callable[[], None]]]:
    """Where the program's errors go, and a function that waits a moment for progress. The program tells it to a terminal alone: a pseudo-terminal,
    where the system has them."""
    if tell is None or sys.platform == "win32":
        yield subprocess.DEVNULL, lambda: time.sleep(0.01)
        return
    master, slave = os.openpty()

    def listen() -> None:
        if not select.select([master], [], [], 0.05)[0]:
            return
        shown = SHOWN.findall(os.read(master, 65536))
        if shown:
            phase, rows, mebibytes = shown[-1]
            tell(BillProgress(phase.decode(), int(rows), int(mebibytes)))

    try:
        yield slave, listen
    finally:
        os.close(slave)
        os.close(master)
