"""What a process has tried alone, and not got through."""

import pytest

from schemas.messages import ProfileImport
from tests.unit.test_chunks import entries, records
from workers.exactly_once.trials import ALONE, TOO_LONG, Trials


@pytest.mark.promise("P-OPS-35")
def test_it_is_not_forgotten_when_others_pass_in_between() -> None:
    trials = Trials[ProfileImport]()
    alone, others = entries(*records(7, partition=3)), entries(*records(8, 9, partition=1))
    for _ in range(ALONE):
        assert trials.judged(alone, {}) == alone
        trials.failed(alone)
        trials.passed(others)

    assert [entry.reason for entry in trials.judged(alone, {})] == [TOO_LONG]


def test_it_is_forgotten_when_its_partition_goes_on() -> None:
    trials = Trials[ProfileImport]()
    alone = entries(*records(7, partition=3))
    for _ in range(ALONE):
        trials.failed(alone)
    trials.passed(alone)

    assert trials.judged(alone, {}) == alone
