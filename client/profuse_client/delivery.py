"""Pure: one part's way to its answer: sent, sent again, looked up."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from profuse_client.answers import Again, Answered, meaning
from profuse_client.calls import STATUS, body
from profuse_client.cutting import Part
from profuse_client.encoding import encoded
from profuse_client.errors import ProfuseError, Refused
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.patience import Patience
from profuse_client.results import Entry

_NO_RIGHT_TO_LOOK, _NOT_THERE = 403, 404


class Delivery:
    """Says what to exchange, takes what came of it, and is over with entries or with what went wrong."""

    def __init__(self, part: Part, path: str, beginning: bytes, patience: Patience) -> None:
        self._part = part
        self._path = path
        self._beginning = beginning
        self._patience = patience
        # What has all of it, and is to be asked how far it has come.
        self._task: str | None = None
        self.progress = -1
        self._finished = False
        # Asking is not allowed, or leads nowhere: a repeat of the request tells as well.
        self._blind = False
        # Whether another run had brought it; None until this one may have.
        self._repeated: bool | None = None
        # When another of its run moved: of a try before that only the rest counts.
        self._beside_at = -inf
        # From when on it wants to be exchanged.
        self.due = 0.0
        self.entries: Sequence[Entry] | None = None
        self.trouble: ProfuseError | None = None
        if not part.sent:
            self._end([])

    @property
    def number(self) -> int:
        return self._part.number

    @property
    def is_over(self) -> bool:
        return self.entries is not None or self.trouble is not None

    def exchange(self) -> Exchange:
        if self._task is None:
            return Exchange(self._path, body(self._beginning, self._part.written), self._patience.request_id)
        limit = self._part.sent if self._finished else 0
        return Exchange(STATUS, (encoded({"task_id": self._task, "limit": limit}),))

    def take(self, outcome: Outcome, now: float) -> Again | None:
        """What came of the exchange, and if it is not over, why."""
        try:
            meant = meaning(outcome)
            again = meant if isinstance(meant, Again) else self._answered(meant)
            if again is not None:
                if again.in_doubt:
                    self._brought(by_another=False)
                self.due = now + self._patience.rest(again, min(outcome.seconds, now - self._beside_at))
        except ProfuseError as trouble:
            if self._task is not None and isinstance(trouble, Refused) and trouble.error in (_NO_RIGHT_TO_LOOK, _NOT_THERE):
                self._task, self._blind = None, True
                return None
            self.trouble = trouble
            return None
        else:
            return again

    def moved_beside(self, now: float) -> None:
        """Another of the run is answered, or has come further."""
        self._beside_at = now
        self._patience.moved_beside()

    def _answered(self, answer: Answered) -> Again | None:
        if self._task is not None:
            return self._looked(answer.fields["data"])
        self._brought(by_another=answer.repeated)
        if "result" in answer.fields:
            self._end(answer.fields["result"])
            return None
        if "task_id" not in (answer.fields.get("data") or ()):
            raise Refused(502, "not an answer of Profuse", "neither a result nor a task")
        task = str(answer.fields["data"]["task_id"])
        self._task = None if self._blind else task
        return Again(f"task {task} is being processed")

    def _brought(self, *, by_another: bool) -> None:
        """The first word counts: of what this run has sent itself the server says the same later."""
        if self._repeated is None:
            self._repeated = by_another

    def _looked(self, data: Mapping[str, Any]) -> Again | None:
        items, status = data["result"]["items"], data["status"]
        if data["progress"] > self.progress:
            self.progress = data["progress"]
            self._patience.moved()
        if status == "incomplete":
            # Its gateway died while it published: a repeat of the request completes it.
            self._task = None
        elif self._finished and None not in items:
            self._end(items)
            return None
        elif not self._finished and status == "completed":
            self._finished = True
            return None
        return Again(f"task {data['task_id']} is {status}, {data['progress']} %")

    def _end(self, answered: Sequence[Mapping[str, Any]]) -> None:
        if len(answered) != self._part.sent:
            raise Refused(502, "not an answer of Profuse", f"{len(answered)} entries for {self._part.sent} items")
        self.entries = self._part.entries(answered, repeated=bool(self._repeated))
