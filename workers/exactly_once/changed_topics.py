"""A topic that is not the one whose positions Postgres has: what is told of it, and to whom it is an end."""

_ANEW = "the topic was made anew, or lost records; docs/operations.md says how to go on (topic made anew)"

# A partition is held for it: `earliest` is beyond its position, or its end before that.
OUT_OF_RANGE = f"the position is out of the topic's range: {_ANEW}"


class TopicChanged(Exception):
    """The topic is not the one that the positions were taken from: made anew, truncated, or with other partitions. It ends the process."""


def other_records(topic: str, partition: int) -> TopicChanged:
    return TopicChanged(f"{topic}/{partition} does not hold the record processed last: {_ANEW}")


def other_partitions(topic: str, found: int, known: int) -> TopicChanged:
    grown = "keys would lose their order; docs/operations.md says how to go on (partitions were added)"
    return TopicChanged(f"{topic} has {found} partitions, its positions are for {known}: {grown if known else 'run `profuse migrate`'}")
