"""How many messages are read at once, from how long the last ones took."""

import pytest

from workers.exactly_once.backoff import AIM, FEW, Backoff

CHUNK = 2_000


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(
    ("before", "messages", "seconds", "after"),
    [
        (CHUNK, CHUNK, 1.25 * AIM, CHUNK * 4 // 5),
        # It may have been the moment.
        (CHUNK, CHUNK, 4 * AIM, CHUNK // 2),
        # It was the bytes that were full.
        (CHUNK, 200, 2 * AIM, 100),
        (CHUNK, 1, 100 * AIM, CHUNK),
        (FEW + 8, FEW + 8, 100 * AIM, FEW),
        # Nobody reads one by one for good.
        (1, 1, 2 * AIM, 2),
        # Twice as many might be cut short.
        (1, 1, 100 * AIM, 1),
        (100, 100, AIM / 2, 200),
        (1_500, 1_500, 0.0, CHUNK),
    ],
)
def test_as_many_are_read_as_will_be_done_in_time(before: int, messages: int, seconds: float, after: int) -> None:
    backoff = Backoff(CHUNK)
    backoff.limit = before

    backoff.settled(messages, seconds)

    assert backoff.limit == after
