"""Compares covermix's finance with pyxirr and numpy-financial on 10,000 seeded random flow series.

    pip install pyxirr numpy-financial
    cargo build --release --no-default-features --example finance_calculator
    python tests/python/compare_finance.py target/release/examples/finance_calculator

A library agrees on a rate if its answer is one of ours (several rates may exist). Where it gives a rate that is not among
ours, the present value at its rate decides who is right. Where it gives none, ours are only counted.
"""

import datetime
import json
import math
import random
import subprocess
import sys

import numpy_financial
import pyxirr

COUNT = 10_000


def series(rng):
    length = rng.randint(2, 60)
    kind = rng.random()
    start = datetime.date(2015, 1, 1) + datetime.timedelta(days=rng.randint(0, 3000))
    days = sorted(rng.randint(0, 365 * 10) for _ in range(length - 1))
    dates = [start] + [start + datetime.timedelta(days=day + 1) for day in days]
    if kind < 0.6:  # an investment, then returns
        amounts = [-rng.uniform(100, 10_000)] + [rng.uniform(0, 1_000) for _ in range(length - 1)]
    elif kind < 0.8:  # mostly returns, some payments
        amounts = [-rng.uniform(100, 10_000)] + [rng.uniform(-200, 800) for _ in range(length - 1)]
    else:  # anything
        amounts = [rng.uniform(-1_000, 1_000) for _ in range(length)]
    return dates, [round(amount, 2) for amount in amounts]


def near(left, right, tolerance=1e-7):
    return math.isclose(left, right, rel_tol=tolerance, abs_tol=tolerance)


def relative_npv(rate, times, amounts):
    values = [amount * math.exp(-time * math.log1p(rate)) for time, amount in zip(times, amounts)]
    return abs(sum(values)) / sum(abs(value) for value in values)


def main():
    rng = random.Random(20250101)
    inputs = []
    for _ in range(COUNT):
        dates, amounts = series(rng)
        inputs.append(dict(dates=dates, amounts=amounts, rate=round(rng.uniform(-0.5, 1.0), 4), finance_rate=0.08, reinvest_rate=0.055))
    lines = "\n".join(json.dumps({**one, "dates": [str(date) for date in one["dates"]]}) for one in inputs) + "\n"
    out = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == COUNT

    tally = {}

    def note(name, outcome, detail=None):
        row = tally.setdefault(name, {})
        row[outcome] = row.get(outcome, 0) + 1
        if outcome == "DISAGREE" and row[outcome] <= 3:
            print("disagreement:", name, detail)

    def compare(name, ours, theirs):
        if theirs is None or not math.isfinite(theirs):
            note(name, "they have none" if ours is None else "only we answer")
        elif ours is not None and near(ours, theirs):
            note(name, "agree")
        else:
            note(name, "DISAGREE", (ours, theirs))

    def compare_rate(name, ours, theirs, times, amounts):
        if theirs is None or not math.isfinite(theirs) or theirs <= -1:
            note(name, "neither" if not ours else "only we answer")
        elif any(near(rate, theirs, 1e-6) for rate in ours):
            note(name, "agree" if len(ours) == 1 else "agree, one of several")
        elif relative_npv(theirs, times, amounts) > 1e-6:
            note(name, "theirs is no root")
        else:
            note(name, "DISAGREE", (ours, theirs, relative_npv(theirs, times, amounts)))
        for rate in ours:
            # A rate near -100 % is known to one unit in its last place only, which is a large part of 1 + rate.
            conditioning = 1 + times[-1] / (1 + rate)
            if relative_npv(rate, times, amounts) > 1e-9 + 1e-15 * conditioning:
                note(name, "OURS IS NO ROOT", (rate, relative_npv(rate, times, amounts)))

    def or_none(call):
        try:
            return call()
        except pyxirr.InvalidPaymentsError:
            return None

    for one, answer in zip(inputs, answers):
        dates, amounts, rate = one["dates"], one["amounts"], one["rate"]
        periods = range(len(amounts))
        years = [(date - dates[0]).days / 365 for date in dates]
        compare("npv, numpy-financial", answer["npv"], float(numpy_financial.npv(rate, amounts)))
        compare("npv, pyxirr", answer["npv"], pyxirr.npv(rate, amounts))
        compare("npv end of period, pyxirr", answer["npv_end_of_period"], pyxirr.npv(rate, amounts, start_from_zero=False))
        compare("xnpv, pyxirr", answer["xnpv"], pyxirr.xnpv(rate, dates, amounts))
        theirs = or_none(lambda: float(numpy_financial.mirr(amounts, 0.08, 0.055)))
        compare("mirr, numpy-financial", answer["mirr"], theirs)
        compare_rate("irr, numpy-financial", answer["irr"], float(numpy_financial.irr(amounts)), periods, amounts)
        compare_rate("irr, pyxirr", answer["irr"], or_none(lambda: pyxirr.irr(amounts)), periods, amounts)
        compare_rate("xirr, pyxirr", answer["xirr"], or_none(lambda: pyxirr.xirr(dates, amounts)), years, amounts)
    for name, row in tally.items():
        print(f"{name}: " + ", ".join(f"{outcome} {count}" for outcome, count in sorted(row.items())))
    bad = sum(row.get("DISAGREE", 0) + row.get("OURS IS NO ROOT", 0) for row in tally.values())
    print(f"{COUNT} series, {bad} disagreements")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
