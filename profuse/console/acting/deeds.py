"""Every deed of the console, by the name that its pages and the log of actions have for it."""

from collections.abc import Mapping

from profuse.console.acting.cancelling import Cancel
from profuse.console.acting.deed import Deed
from profuse.console.acting.launches import RunAgain
from profuse.console.acting.letters import Drop, Replay
from profuse.console.acting.resuming import RESUME_HOOK, RESUME_PROVIDER

DEEDS: Mapping[str, Deed] = {
    "cancel": Cancel(),
    "replay-dead-letters": Replay(),
    "drop-dead-letters": Drop(),
    "replay-launches": RunAgain(),
    "resume-provider": RESUME_PROVIDER,
    "resume-hook": RESUME_HOOK,
}
