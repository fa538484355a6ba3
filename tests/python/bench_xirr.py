"""Times one million XIRRs of 60 flows: pyxirr against covermix, on the same file in the same run.

    pip install pyxirr numpy
    cargo build --release --no-default-features --example finance_calculator
    python tests/python/bench_xirr.py target/release/examples/finance_calculator [series] [pyxirr series]

pyxirr is called once per series with lists of dates and floats made beforehand (its fastest input), so that only its own
work is timed; by default it gets a tenth of the series and its time is scaled up. covermix is timed from day numbers.
"""

import datetime
import json
import struct
import subprocess
import sys
import tempfile
import time

import numpy
import pyxirr

FLOWS = 60


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    theirs_count = int(sys.argv[3]) if len(sys.argv) > 3 else max(1, count // 10)
    rng = numpy.random.default_rng(60)
    gaps = rng.integers(20, 41, size=(count, FLOWS))
    gaps[:, 0] = 0
    days = gaps.cumsum(axis=1).astype("<i4")
    amounts = numpy.round(rng.uniform(0, 400, size=(count, FLOWS)), 2)
    amounts[:, 0] = -numpy.round(rng.uniform(5_000, 12_000, size=count), 2)
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(struct.pack("<II", count, FLOWS))
        for row in range(count):
            file.write(days[row].tobytes())
            file.write(amounts[row].tobytes())
        file.flush()
        result = subprocess.run([sys.argv[1], "--bench", file.name], capture_output=True, text=True, check=True)
        ours = json.loads(result.stdout)
    start = datetime.date(2020, 1, 1)
    calendar = [start + datetime.timedelta(days=day) for day in range(int(days[:theirs_count].max()) + 1)]
    total, found = 0.0, 0.0
    for row in range(theirs_count):
        dates, flows = [calendar[day] for day in days[row].tolist()], amounts[row].tolist()
        before = time.perf_counter()
        rate = pyxirr.xirr(dates, flows)
        total += time.perf_counter() - before
        found += rate
    theirs = total * count / theirs_count
    print(f"{count} series of {FLOWS} flows")
    print(f"covermix  {ours['seconds']:.3f} s on all cores, {ours['seconds_one_thread']:.3f} s on one, unique rates {ours['unique']}")
    print(f"pyxirr    {theirs:.3f} s (measured on {theirs_count} series: {total:.3f} s)")
    print(f"pyxirr / covermix: {theirs / ours['seconds']:.1f} on all cores, {theirs / ours['seconds_one_thread']:.1f} on one")
    if theirs_count == count:
        print(f"sums of rates: {ours['sum']:.9f} and {found:.9f}")
    sys.exit(theirs <= ours["seconds"])


if __name__ == "__main__":
    main()
