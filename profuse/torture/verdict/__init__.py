"""Pure: what was observed beside what must be true.

`seen` is the form of what is observed; each other module compares one part of it.
"""

from collections.abc import Sequence

from profuse.torture.model import Request
from profuse.torture.verdict import batches, outside, profiles
from profuse.torture.verdict.seen import Difference, Observed, applied, together


def differences(requests: Sequence[Request], observed: Observed) -> list[Difference]:
    """What became of the producers' requests, and should not have."""
    done = applied(requests, observed)
    return together(
        [*batches.compared(requests, observed), *profiles.compared(requests, done, observed), *outside.compared(done, observed)]
    )
