"""Pure: one question with one answer, asked again while what is in the way may pass."""

from collections.abc import Mapping
from typing import Any

from profuse_client.answers import Again, meaning
from profuse_client.calls import PREFIX
from profuse_client.encoding import encoded
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.patience import Patience


class Errand:
    """`answer` is there when `take` has nothing left to say."""

    def __init__(self, path: str, parameters: Mapping[str, Any], patience: float, request_id: str) -> None:
        # Asked again, it is done once.
        self.exchange = Exchange(PREFIX + path, (encoded(parameters),), request_id)
        self.answer: Mapping[str, Any] = {}
        self._patience = Patience(patience, path)

    def take(self, outcome: Outcome) -> float | None:
        """Seconds to rest before it is asked again; raises `Refused` and `GivenUp`."""
        meant = meaning(outcome)
        if isinstance(meant, Again):
            return self._patience.rest(meant, outcome.seconds)
        self.answer = meant.fields
        return None
