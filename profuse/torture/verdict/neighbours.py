"""What the polite account may ask for while nothing is broken, and what the hostile one may ask for at any time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from profuse.torture.chronicle import percentile
from profuse.torture.verdict.seen import Difference, difference

# Seconds within which 99 of 100 are answered, and launched after they are due, on the machine that they were written for.
ANSWERED, LAUNCHED = 1.0, 2.0
# The hundredth part of fewer is a handful, of which nothing can be said.
ENOUGH = 500
# No launch of anybody's is later than this while nothing is broken, or ever.
LATE_IN_CALM, LATE = 10.0, 180.0


def polite(answers: Sequence[float], launches: Sequence[float], slowness: float) -> Iterator[Difference]:
    """Of what began in the calms, on a machine that is so many times slower (docs/decisions/0022)."""
    for what, seconds, bound in (("answers", answers, ANSWERED), ("launches", launches, LAUNCHED)):
        limit = bound * slowness
        seen = percentile(seconds, 0.99)
        if len(seconds) >= ENOUGH and seen > limit:
            late = sum(each > limit for each in seconds)
            yield Difference("wrong", late, f"{what} of the polite account took longer than {limit:.2f} s: 99 of 100 within {seen:.2f} s")


def launched(calm: Sequence[float], ever: Sequence[float]) -> Iterator[Difference]:
    """Of the account that is counted: how late its mails were."""
    yield difference("wrong", [f"{each:.1f} s" for each in calm if each > LATE_IN_CALM], "mails that were late though nothing was broken")
    yield difference("wrong", [f"{each:.1f} s" for each in ever if each > LATE], "mails that were later than any fault explains")


def hostile(told: Mapping[str, Any], unanswered: Sequence[str]) -> Iterator[Difference]:
    """`unanswered` are those of its batches that were deleted before their items had ended."""
    yield difference("wrong", told["surprises"], "answers to the hostile account")
    yield difference("lost", [*told["tasks"], *unanswered], "batches of the hostile account with items that did not end")
