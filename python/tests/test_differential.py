"""Some thousand cases of `make differential`, which runs as many as one likes."""

import pytest

from differential.batch import CASES, Batch
from differential.running import Job, outcome


@pytest.mark.parametrize("number", range(12))
def test_random_and_damaged_messages_are_read_as_the_official_package_reads_them(number: int) -> None:
    done = outcome(Job(Batch(seed=1, number=number), CASES))
    assert done.fault == ""
    assert done.tally.cases == CASES
