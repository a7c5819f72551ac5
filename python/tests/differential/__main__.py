"""Runs cases of differential testing and stops at the first difference.

make differential CASES=1000000                               what CI may run by night
PYTHONPATH=python/tests python -m differential --seed 7       others than those of seed 0
PYTHONPATH=python/tests python -m differential --seed 7 --first 1234 --cases 400      one batch again
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence

from differential.batch import CASES, Batch
from differential.comparison import Tally
from differential.rules import RULES
from differential.running import Job, outcome
from differential.subjects import CONFORMANCE, conformance_names

# Seconds between two lines of progress.
_PAUSE = 30


def main() -> int:
    options = _options()
    names = conformance_names()
    print(f"seed {options.seed}: {options.cases:,} cases from batch {options.first} on, {options.processes} processes")
    print(
        f"schemas: random ones and {len(names)} of the conformance suite"
        if names
        else f"no {CONFORMANCE.name}: random schemas alone"
    )
    count = -(-options.cases // CASES)
    jobs = [
        Job(Batch(options.seed, options.first + index), min(CASES, options.cases - index * CASES))
        for index in range(count)
    ]
    return _run_all(jobs, options.processes)


def _run_all(jobs: Sequence[Job], processes: int) -> int:
    total, start = Tally(), time.perf_counter()
    said = start
    # Each process starts anew: this one has threads of its own.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done in pool.imap_unordered(outcome, jobs, chunksize=4):
            total.add(done.tally)
            if done.fault:
                print(done.fault, flush=True)
                pool.terminate()
                break
            if time.perf_counter() - said > _PAUSE:
                said = time.perf_counter()
                print(_line(total, said - start), flush=True)
    print(_line(total, time.perf_counter() - start))
    for rule in RULES:
        print(f"  {total.by_rule[rule]:>9,} by the rule: {rule}")
    print("differences: 1" if done.fault else "differences: none")
    return 1 if done.fault else 0


def _line(tally: Tally, seconds: float) -> str:
    share = tally.accepted / max(1, tally.cases)
    rate = f"{tally.cases:,} cases in {seconds:.0f} s, {tally.cases / seconds:,.0f}/s"
    return f"{rate}: {share:.1%} accepted, {1 - share:.1%} refused"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the batch to begin with")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
