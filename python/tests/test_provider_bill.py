"""Bills of providers, read by the program `covermix`; without it these tests are skipped (scripts/test builds it before)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import covermix
import pytest
from conftest import REPOSITORY
from covermix import Judge, Treatment, read_bill

BUILT = REPOSITORY / "target" / "release" / "covermix"
FOUND = os.environ.get("COVERMIX_PROGRAM") or (str(BUILT) if BUILT.exists() else shutil.which("covermix"))
needs_program = pytest.mark.skipif(FOUND is None, reason="the program covermix is not built: cargo build --release -p covermix-cli")
DATA = Path(str(files("covermix") / "data"))
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bill() -> covermix.ProviderBill:
    return covermix.example_bill(program=FOUND)


@needs_program
def test_the_bill_comes_back_as_it_was_made(bill: covermix.ProviderBill) -> None:
    usage = covermix.example_usage().between(DECEMBER, datetime(2026, 1, 1, tzinfo=UTC))
    assert bill.currency == "USD" and bill.months == ("2025-12",) and bill.format.startswith("FOCUS")
    assert bill.usage.quantity == pytest.approx(usage.quantity, rel=1e-12, abs=1e-12)
    assert bill.portfolio is not None and bill.portfolio.commitments == covermix.example_portfolio().commitments
    judged = Judge(usage, covermix.example_catalog(), covermix.example_portfolio()).bill()
    # Fees of the whole month and no upfront payments: billed and amortised are the same.
    assert bill.reconciliation.cost == pytest.approx(judged.total.cost, abs=Decimal("1e-6")) and bill.reconciliation.difference == 0
    assert bill.money.billed == pytest.approx(judged.total.cost, abs=Decimal("1e-6"))
    assert bill.money.effective_savings_rate == pytest.approx(judged.total.effective_savings_rate_list, abs=1e-9)
    assert bill.money.coverage == pytest.approx(judged.total.coverage, abs=1e-9)
    assert bill.money.kinds["covered"].rows > 0 and bill.unpriced == ()
    assert any("FOCUS" in note for note in bill.notes)
    table = bill.reconciliation.to_table()
    assert sum(table["cost"]) == bill.reconciliation.cost and sum(table["rows"]) == bill.reconciliation.rows
    assert bill.reconciliation.cost_of(Treatment.COMMITMENTS) > 0 and "Where the bill went" in bill._repr_html_()


@needs_program
def test_options_owners_and_kept_files(tmp_path: Path) -> None:
    rules = tmp_path / "owners.toml"
    rules.write_text(OWNERS)
    source = REPOSITORY / "ingest" / "tests" / "data" / "azure.csv"
    with pytest.raises(covermix.InputError, match="day|hour"):
        read_bill(source, program=FOUND)
    states: list[covermix.BillProgress] = []
    bill = read_bill(source, spread=True, time_zone="Europe/Berlin", owners=rules, folder=tmp_path / "out", program=FOUND, progress=states.append)
    assert bill.portfolio is None and bill.owners is not None and bill.format.lower().startswith("azure")
    charged = sum((cost.charged for cost in bill.owners.owners.values()), Decimal(0)) + bill.owners.unowned.charged
    assert charged == pytest.approx(bill.money.effective, abs=Decimal("1e-6")) and len(bill.owners.to_table()) == len(bill.owners.owners)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"usage.csv.gz", "reconciliation.json", "owners.json"}
    assert covermix.UsageCurves.read(tmp_path / "out" / "usage.csv.gz") == bill.usage


OWNERS = '''
[[rule]]
owner = "web"
tags.team = "^web$"
'''


@needs_program
def test_bad_bills_are_refused_with_the_remedy(tmp_path: Path) -> None:
    for content in (b"", b"a,b\n1,2\n", b"\xff\xfe\x00broken"):
        path = tmp_path / "bill.csv"
        path.write_bytes(content)
        with pytest.raises(covermix.InputError) as caught:
            read_bill(path, program=FOUND)
        assert "bill.csv" in str(caught.value) and caught.value.remedy
    with pytest.raises(covermix.InputError, match="no such|not a file|cannot be read|no file"):
        read_bill(tmp_path / "missing.csv", program=FOUND)


def test_without_the_program_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("COVERMIX_PROGRAM", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(covermix.FileError, match="cargo build --release -p covermix-cli.*COVERMIX_PROGRAM"):
        read_bill("bill.csv")
    monkeypatch.setenv("COVERMIX_PROGRAM", str(tmp_path / "elsewhere"))
    with pytest.raises(covermix.FileError, match="elsewhere"):
        read_bill("bill.csv")
    with pytest.raises(covermix.InputError, match="no files"):
        read_bill()


def program(folder: Path, body: str) -> Path:
    """A program that stands for `covermix`."""
    path = folder / "covermix"
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
    path.chmod(0o755)
    return path


def test_ctrl_c_ends_the_program(tmp_path: Path) -> None:
    sleeper = program(tmp_path, f"import os, pathlib, time; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)")
    began = time.monotonic()
    timer = threading.Thread(target=lambda: (wait_for(tmp_path / "pid"), signal.raise_signal(signal.SIGINT)))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        read_bill("bill.csv", program=sleeper)
    timer.join()
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def wait_for(path: Path) -> None:
    while not (path.exists() and path.read_text()):
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_progress_is_told_and_another_program_is_not_believed(tmp_path: Path) -> None:
    other = program(tmp_path, "import sys; sys.stderr.write('checked 5 rows, 1 MiB of text\\rread 9 rows, 2 MiB of text\\r'); print('hello')")
    states: list[covermix.BillProgress] = []
    with pytest.raises(covermix.CovermixError, match="exit code 0 and no document"):
        read_bill("bill.csv", program=other, progress=states.append)
    assert states[-1:] in ([covermix.BillProgress("read", 9, 2)], []), states
    refusing = program(tmp_path, "import sys; print('{\"schema\": \"covermix-error/1\", \"error\": \"bill.csv: empty; give a bill\"}'); sys.exit(2)")
    with pytest.raises(covermix.InputError, match="bill.csv: empty") as caught:
        read_bill("bill.csv", program=refusing)
    assert caught.value.remedy == "give a bill"
    assert subprocess.run([str(refusing)], capture_output=True, check=False).returncode == 2
