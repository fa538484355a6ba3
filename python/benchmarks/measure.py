"""Size of the installed package, time of its import, memory of a large frame on its way to the planner. Fails above the limits it prints."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import covermix
import numpy as np
from problems import START, make

IMPORT_MILLISECONDS = 200
SIZE_MEGABYTES = 15


def resident() -> float:
    """Megabytes of memory in use by this process; what is free is given back first, so that a copy cannot hide in it."""
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def of_import() -> float:
    """Milliseconds that importing the package takes, NumPy included: by the clock, which says more on a busy machine, or of all cores' work, which says
    more where NumPy starts threads; the less of the two."""
    code = "import resource, time; began = time.perf_counter(); start = resource.getrusage(resource.RUSAGE_SELF); import covermix; "
    code += "end = resource.getrusage(resource.RUSAGE_SELF); work = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime; "
    code += "print(1000 * work, 1000 * (time.perf_counter() - began))"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() for _ in range(7)]
    work, clock = min(float(run[0]) for run in runs), min(float(run[1]) for run in runs)
    print(f"import: {work:.0f} ms of work, {clock:.0f} ms by the clock, NumPy included, best of 7 (limit {IMPORT_MILLISECONDS} ms of either)")
    return min(work, clock)


def of_wheel(paths: list[str]) -> None:
    """Sizes of wheels."""
    for path in paths:
        size = os.path.getsize(path) / 1e6
        print(f"{Path(path).name}: {size:.1f} MB (limit {SIZE_MEGABYTES} MB)")
        assert size < SIZE_MEGABYTES


def of_memory() -> None:
    """Memory that 8,760 x 300 float64 take on the way from pandas to the planner."""
    import pandas

    made = make(300, 8760)
    array = np.ascontiguousarray(made.demand)
    index = pandas.date_range(START, periods=len(array), freq="h", name="hour")
    frame = pandas.DataFrame(array, index=index, columns=[line.name for line in made.lines()], copy=False)
    size = array.nbytes / 1e6
    covermix.Planner(make(2, 24).catalog, usage=make(2, 24).usage()).build()
    before = resident()
    began = time.perf_counter()
    usage = covermix.UsageCurves.from_table(frame)
    read, seconds = resident(), time.perf_counter() - began
    problem = covermix.Planner(made.catalog, usage=usage).build()
    built = resident()
    assert np.shares_memory(usage.quantity, array)
    print(f"8,760 x 300 float64 ({size:.1f} MB) from pandas: {read - before:+.1f} MB after reading in {seconds:.2f} s, {built - before:+.1f} MB after building")
    turned = covermix.UsageCurves.from_table(frame.iloc[:, ::-1])
    print(f"the same with columns in another order, which must be copied: {resident() - built:+.1f} MB")
    assert resident() - built > size / 2, "the measure does not see a copy"
    assert turned == usage
    assert read - before < size / 2, "the frame was copied"
    assert problem is not None


def main() -> None:
    of_wheel(sys.argv[1:])
    milliseconds = of_import()
    of_memory()
    assert milliseconds < IMPORT_MILLISECONDS, "the import is too slow"


if __name__ == "__main__":
    main()
