"""Trigger campaigns made of what is said of them: at once, or where that takes seconds by turns of the accounts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ingest.admission.turns import AT_ONCE, NoTurn, Turns
from ingest.endpoints.declaring import Declared, Made, make
from ingest.request_errors import too_many
from schemas import metrics
from store.configuration import converting

# About what one takes.
_REPEAT_AFTER = 5


@dataclass(frozen=True)
class Making:
    """Of a whole gateway."""

    _turns: Turns = field(default_factory=Turns)
    # The threads that everybody shares are not waited for by other accounts.
    _aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "making"))

    async def made(self, account: int, number: int, declared: Declared) -> Made:
        """Refused where too many are asked for."""
        if is_quick(declared):
            return await asyncio.to_thread(make, number, declared)
        try:
            async with self._turns.of(account):
                return await asyncio.get_running_loop().run_in_executor(self._aside, make, number, declared)
        except NoTurn:
            metrics.REFUSED.labels("messages").inc()
            raise too_many("content: too many long messages are being made", _REPEAT_AFTER) from None


def is_quick(declared: Declared) -> bool:
    """Whether nothing in it is long to read, or to convert; what stays as it is stored is neither."""
    said, before = declared.said, declared.before
    is_converted = said.get("inline_css") or (not said.get("text") and before.get("text"))
    read = [text for name, text in said.items() if text != before.get(name) or (name == "html" and is_converted)]
    return all(converting.is_quick(text) for text in read if isinstance(text, str))
