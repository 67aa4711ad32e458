"""Exactly-once between Kafka and Postgres; a room says what a message means, and never knows that this is here.

The position of a partition is a row in Postgres, moved in the same transaction as the effects of the messages before it.
Kafka's committed offset is only a hint for lag tools; it is never read back.

`stream`          the loop: take over, read, settle; and rest while the world is away
`ownership`       which partitions are ours and where they stand; the one way to gain one
`reading`         what is read at once: bounded in messages, bytes and items
`committing`      a chunk's way into Postgres: prepared, fenced, applied and moved past in one transaction, then published
`outbox`          what a commit had to say, until the broker has confirmed it
`preparing`       what happens before that transaction, in slices; bisects what will not pass
`processing`      what happens inside it; searches by halves, in trials, for what will not pass
`trouble`         pure: the world, the code, or the data? The one place where every exception is caught
`changed_topics`  what is told of a topic that is not the one whose positions we have
`circuit_breaker` pure: tells broken code from broken data
`trials`          what is tried alone or apart, because of what became of those before, and how often
`probes`          broker and database, asked whether they answer
`liveness`        tells a worker that is stuck from one that has nothing to do
`chunks`          pure: which records may be processed, and what they say
`progress`        the positions: lock, compare, move
`dead_letters`    what could not be processed, kept with its reason
`advice`          what an operator is told to do
`backoff`         how much is read at once, and how long is rested
`gathering`       pure: how long is rested after a chunk of few, so that the next one has more
`lag_offsets`     positions told to the broker, for lag tools only
`handler`         what a room has to offer
"""

from workers.exactly_once.changed_topics import TopicChanged
from workers.exactly_once.handler import Conflict, Dead, Handler, TooMuch, Unprocessable
from workers.exactly_once.liveness import Stuck
from workers.exactly_once.stream import Stream

__all__ = ["Conflict", "Dead", "Handler", "Stream", "Stuck", "TooMuch", "TopicChanged", "Unprocessable"]
