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
            return self._looked(answer.fields)
        self._brought(by_another=answer.repeated)
        match answer.fields:
            case {"result": list(entries)}:
                self._end(entries)
                return None
            case {"data": {"task_id": task}}:
                self._task = None if self._blind else str(task)
                return Again(f"task {task} is being processed")
        raise _no_answer("neither a result nor a task")

    def _brought(self, *, by_another: bool) -> None:
        """The first word counts: of what this run has sent itself the server says the same later."""
        if self._repeated is None:
            self._repeated = by_another

    def _looked(self, fields: Mapping[str, Any]) -> Again | None:
        match fields:
            case {"data": {"status": str(status), "progress": int(progress), "result": {"items": list(items)}}}:
                return self._come_to(status, progress, items)
        raise _no_answer("not how far a task has come")

    def _come_to(self, status: str, progress: int, items: Sequence[Any]) -> Again | None:
        task = self._task
        if progress > self.progress:
            self.progress = progress
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
        return Again(f"task {task} is {status}, {progress} %")

    def _end(self, answered: Sequence[Any]) -> None:
        if len(answered) != self._part.sent:
            raise _no_answer(f"{len(answered)} entries for {self._part.sent} items")
        if not all(map(_is_entry, answered)):
            raise _no_answer("an entry is no profile and no error")
        self.entries = self._part.entries(answered, repeated=bool(self._repeated))


def _is_entry(answered: object) -> bool:
    match answered:
        case {"error": int(error)} if error:
            return True
        case {"profile_id": _}:
            return True
    return False


def _no_answer(why: str) -> Refused:
    return Refused(502, "not an answer of Profuse", why)
