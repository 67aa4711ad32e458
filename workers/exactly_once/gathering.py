"""Pure: how long a worker rests after few messages, so that the next chunk has more of them."""

# So few came one by one: nobody is beside them, and the next of them would only wait.
ONE_BY_ONE = 2
# What a chunk takes beside its messages, as much as some 36 of them, is the smaller part with so many: others are not worth a wait.
ENOUGH = 64
# Of the last chunk's time: a third of a worker's is left for chunks, and each has three times as many.
_TIMES = 2.0
# Seconds; who waits for an answer waits for this, too.
LONGEST = 0.1


def gathering(messages: int, waiting: int, seconds: float) -> float:
    """Seconds to rest after so many messages took so long, while so many more are there already."""
    if messages <= ONE_BY_ONE or messages + waiting >= ENOUGH:
        return 0.0
    return min(_TIMES * seconds, LONGEST)
