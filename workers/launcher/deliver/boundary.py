"""The boundary of a launch: whatever nobody foresaw inside one is its own failure, and the process lives."""

import structlog

from runtime.trouble import kind_of
from workers.launcher.deliver.endings import Held
from workers.launcher.model import Ending, Outcome

log = structlog.get_logger()

# So many in a row that fail alike, of so many accounts: it is the code that is wrong, and not the launches.
ALIKE = 20
ACCOUNTS = 2


class Boundary:
    """Also tells launches that are wrong from code that is: then nobody fails, and the line waits for a fix."""

    def __init__(self) -> None:
        self._kind = ""
        self._count = 0
        self._accounts: set[int] = set()

    def crossed(self, account: int, launch: str, error: Exception) -> Outcome | Held:
        """How the launch ends, or that it has to wait, like all the others."""
        kind = kind_of(error)
        if kind != self._kind:
            self._kind, self._count, self._accounts = kind, 0, set()
        self._count += 1
        self._accounts.add(account)
        log.error("launch_failed", launch=launch, account=account, why=kind, held=self.broken())
        return Held("launches fail alike") if self.broken() else Outcome(Ending.FAIL, f"cannot be processed: {type(error).__name__}")

    def passed(self) -> None:
        self._kind = ""

    def broken(self) -> bool:
        return bool(self._kind) and self._count >= ALIKE and len(self._accounts) >= ACCOUNTS

    def problems(self) -> list[str]:
        if not self.broken():
            return []
        return [f"{self._count} launches of {len(self._accounts)} accounts fail alike ({self._kind}): deploy a fix, or the version before"]
