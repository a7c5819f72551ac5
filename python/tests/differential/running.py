"""One batch as a job for a process of its own, and a report of what differs in it.

Apart from `__main__`, which processes that are started anew do not import.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from differential.batch import CASES, Batch, run
from differential.comparison import Tally, compare_all
from differential.shrink import shrink


@dataclass(frozen=True)
class Job:
    """A batch to run, and how much of it."""

    batch: Batch
    cases: int


@dataclass(frozen=True)
class Outcome:
    """The tally of a batch, and what differs in it, ready to be shown."""

    tally: Tally
    fault: str = ""


def outcome(job: Job) -> Outcome:
    """Runs a batch; whatever goes wrong is part of what comes out."""
    batch = job.batch
    try:
        tally, differences = run(batch, job.cases)
        fault = _report(batch, differences[0].row, job.cases) if differences else ""
    except BaseException as error:
        # A panic of the engine is no `Exception`.
        if isinstance(error, KeyboardInterrupt):
            raise
        return Outcome(Tally(cases=job.cases), f"{traceback.format_exc()}\n{batch.subject.schema}\n{again(batch)}")
    return Outcome(tally, fault)


def again(batch: Batch) -> str:
    arguments = f"--seed {batch.seed} --first {batch.number} --cases {CASES}"
    return f"again: PYTHONPATH=python/tests .venv/bin/python -m differential {arguments}"


def _report(batch: Batch, row: int, cases: int) -> str:
    subject, options = batch.subject, batch.options

    def differs(messages: Sequence[bytes]) -> bool:
        return bool(compare_all(subject, options, messages)[1])

    small = shrink(batch.messages[:cases], row, differs)
    difference = compare_all(subject, options, small)[1][0]
    return "\n".join(
        [
            f"a difference in batch {batch.number} of seed {batch.seed}, row {row}: {subject.schema}",
            f"{options}",
            f"before: {batch.messages[row].hex()}",
            *(f"bytes of row {index}: {data.hex(' ') or 'none'}" for index, data in enumerate(small)),
            f"row {difference.row}",
            f"  wirearray:        {difference.ours}",
            f"  official package: {difference.theirs}",
            again(batch),
        ]
    )
