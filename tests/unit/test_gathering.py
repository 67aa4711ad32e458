"""How long a worker rests after few messages."""

import pytest

from workers.exactly_once.gathering import ENOUGH, LONGEST, gathering


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(
    ("messages", "waiting", "seconds", "rest"),
    [
        (10, 0, 0.01, 0.02),
        (10, 5, 0.01, 0.02),
        # Who waits for an answer waits for this, too.
        (10, 0, 3.0, LONGEST),
        # The next ones are there.
        (10, ENOUGH, 0.01, 0.0),
        (ENOUGH, 0, 0.01, 0.0),
        # Nobody is beside them.
        (1, 0, 0.01, 0.0),
        (2, 0, 0.01, 0.0),
    ],
)
def test_few_of_many_are_waited_for_as_long_as_the_last_ones_took_twice(messages: int, waiting: int, seconds: float, rest: float) -> None:
    assert gathering(messages, waiting, seconds) == pytest.approx(rest)
