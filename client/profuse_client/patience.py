"""Pure: how long to rest before the next try, and when to give up."""

from dataclasses import dataclass
from random import Random

from profuse_client.answers import Again
from profuse_client.errors import GivenUp

_FIRST, _LONGEST = 0.25, 15.0


@dataclass
class Patience:
    """With one request: so many seconds of trying in which nothing of its run moves; what its caller does meanwhile does not count."""

    seconds: float
    # Makes the rests of requests differ, and those of one the same in every run.
    seed: str
    request_id: str | None = None
    spent: float = 0.0
    tries: int = 0

    def rest(self, again: Again, tried: float) -> float:
        """Seconds until the next try; raises `GivenUp`."""
        # Those who were turned away together must not come back together.
        spread = Random(f"{self.seed}/{self.tries}").uniform(0.5, 1.0)  # noqa: S311  # it must be repeatable
        own = spread * min(_LONGEST, _FIRST * 2.0 ** min(self.tries, 10))
        rest = own if again.after is None else again.after * (1 + spread / 4)
        self.tries += 1
        self.spent += tried
        # Resting first would only put off the bad news.
        if self.spent + rest > self.seconds:
            raise GivenUp(again.why, self.spent, self.request_id)
        self.spent += rest
        return rest

    def moved(self) -> None:
        self.spent, self.tries = 0.0, 0

    def moved_beside(self) -> None:
        """How long it rests has nothing to do with that."""
        self.spent = 0.0
