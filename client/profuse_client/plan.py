"""Pure: what a run does next, given what it has read, sent and heard; neither clock nor socket is here."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from profuse_client.answers import Again
from profuse_client.calls import Call
from profuse_client.cutting import Limits, Part
from profuse_client.delivery import Delivery
from profuse_client.errors import Refused
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.patience import Patience
from profuse_client.results import Entry

# Parts that are read and not delivered, for each request that may be on its way: the next is ready when one comes back.
_OPEN = 2


@dataclass(frozen=True)
class Send:
    """Exchange this, and tell what came of it under this number, while the plan goes on."""

    number: int
    exchange: Exchange


@dataclass(frozen=True)
class Read:
    """Take items from the input until `take` says that it is enough, or something else comes, and at most until then."""

    until: float | None


@dataclass(frozen=True)
class Deliver:
    """These are next in the order of the input."""

    entries: Sequence[Entry]


@dataclass(frozen=True)
class Wait:
    """For what comes of an exchange, and at most until then."""

    until: float | None


@dataclass(frozen=True)
class Over:
    """Nothing is left."""


Step = Send | Read | Deliver | Wait | Over


class Plan:
    """One run of one call. `step` raises what ended it, after all that comes before that in the input is delivered."""

    def __init__(self, call: Call, run_id: str, limits: Limits, parallel: int, patience: float) -> None:
        self._path, self._beginning = call.path, call.beginning()
        self._cutter = call.cutter(limits, self._beginning)
        self._run_id = run_id
        self._patience = patience
        self._parallel = parallel
        # How many may be on their way: halved when the server has too much to do, one more with each answer.
        self._window = parallel
        self._paused_until = 0.0
        self._open: deque[Delivery] = deque()
        self._flying: dict[int, Delivery] = {}
        self._reading = True
        self._broken: Exception | None = None

    def step(self, now: float) -> Step:
        if self._open and self._open[0].is_over:
            return self._deliver(self._open.popleft())
        if (delivery := self._next(now)) is not None:
            self._flying[delivery.number] = delivery
            return Send(delivery.number, delivery.exchange())
        # What comes behind a refused request is for the run that goes on.
        if self._reading and len(self._open) < _OPEN * self._parallel and not any(each.trouble for each in self._open):
            return Read(self._until())
        if self._open:
            return Wait(self._until())
        if self._broken is not None:
            raise self._broken
        return Over()

    def take(self, item: object) -> bool:
        """Whether that is enough for now."""
        try:
            part = self._cutter.add(item)
        except Exception as error:  # it is raised again, behind the results of what came before it
            self.break_off(error)
            return True
        if part is not None:
            self._add(part)
        return part is not None

    def close(self) -> None:
        """There is no more to read."""
        self._reading = False
        part = self._cutter.end()
        if part is not None:
            self._add(part)

    def break_off(self, error: Exception) -> None:
        """The input cannot be read any further; a part that is not full is not sent: it would be another one when the run goes on."""
        self._reading, self._broken = False, error

    def heard(self, number: int, outcome: Outcome, now: float) -> Again | None:
        """What came of an exchange, and if it is to be repeated, why."""
        delivery = self._flying.pop(number)
        before = delivery.progress
        again = delivery.take(outcome, now)
        if delivery.entries is not None or delivery.progress > before:
            # Whoever is turned away because the server works on others waits for these.
            for each in self._open:
                if each is not delivery:
                    each.moved_beside(now)
        if again is None:
            self._window = min(self._window + 1, self._parallel)
        elif again.crowded:
            self._window = max(self._window // 2, 1)
            self._paused_until = max(self._paused_until, delivery.due)
        return again

    def _add(self, part: Part) -> None:
        request_id = f"{self._run_id}-{part.number}"
        self._open.append(Delivery(part, self._path, self._beginning, Patience(self._patience, request_id, request_id)))

    def _deliver(self, delivery: Delivery) -> Deliver:
        if isinstance(delivery.trouble, Refused):
            # What is behind it may be imported, and is not told.
            delivery.trouble.run_id = self._run_id
        if delivery.trouble is not None:
            raise delivery.trouble
        return Deliver(delivery.entries or ())

    def _next(self, now: float) -> Delivery | None:
        """The first that is due, if there is room for it on the way."""
        if len(self._flying) >= self._window or now < self._paused_until:
            return None
        return next((each for each in self._waiting() if each.due <= now), None)

    def _until(self) -> float | None:
        if len(self._flying) >= self._window:
            return None
        first = min((each.due for each in self._waiting()), default=None)
        return None if first is None else max(first, self._paused_until)

    def _waiting(self) -> list[Delivery]:
        """Those that are neither over nor on their way, up to one that was refused."""
        waiting = []
        for each in self._open:
            if each.trouble is not None:
                break
            if not each.is_over and each.number not in self._flying:
                waiting.append(each)
        return waiting
