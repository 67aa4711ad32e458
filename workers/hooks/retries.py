"""Pure: what an answer means for a batch, and when it is sent again."""

from dataclasses import dataclass

from runtime.outbound.posting import Answer
from schemas.success import success_of

# Seconds.
SHORTEST = 1.0
LONGEST = 300.0
# Longer than that nobody is waited for, whatever he asks.
_MOST_PATIENT = 3600.0


@dataclass(frozen=True)
class Taken:
    """The hook has the batch."""

    answer: str


@dataclass(frozen=True)
class Again:
    """The same batch is sent again; not before so many seconds, if its receiver says so."""

    answer: str
    after: float | None = None


@dataclass(frozen=True)
class Gone:
    """Its receiver wants nothing any more."""

    answer: str


Verdict = Taken | Again | Gone


def judged(answer: Answer, success: str) -> Verdict:
    told = str(answer.status)
    if answer.status == 410:
        return Gone(told)
    if not answer.is_good:
        return Again(told, answer.retry_after)
    if success and not success_of(success).matches(answer.body):
        return Again(f"{told}, and a body that `success` does not match", answer.retry_after)
    return Taken(told)


def pause(attempts: int, after: float | None, chance: float) -> float:
    """Seconds until the next attempt, after so many that failed in a row; `chance`, of 0 to 1, keeps hooks from coming all at once."""
    # So many doublings are beyond the longest.
    own = min(LONGEST, SHORTEST * 2.0 ** min(attempts - 1, 10)) * (0.5 + chance / 2)
    return max(own, min(after or 0.0, _MOST_PATIENT))


def left(attempts: int, quiet: float, chance: float) -> float:
    """Of such a pause, for whoever takes a hook over so many seconds after its last answer; what that asked for is not known any more."""
    return max(0.0, pause(attempts, None, chance) - quiet) if attempts else 0.0
