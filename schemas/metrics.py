"""Every metric that any room emits, with a sentence on what it means."""

from prometheus_client import Counter, Histogram

MESSAGES = Counter("profuse_messages", "Messages whose effects are committed.", ["topic"])
CHUNK_SECONDS = Histogram("profuse_chunk_seconds", "Time from reading a chunk to the broker's confirmation of its outbox.", ["topic"])
DEAD_LETTERS = Counter("profuse_dead_letters", "Messages that could not be processed.", ["topic"])
