"""Sends a table's rows, and puts each result to its row."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from profuse.importing.aim import Aim
from profuse.importing.checking import Checker
from profuse.importing.mapping import Mapped, Unreadable
from profuse.importing.table import Row, Table
from profuse_client import Client, Failed, Imported, Item

# Hears now and then of the line, the rows that are over, and those of them that failed.
Tell = Callable[[int, int, int], None]
_TOLD_EVERY = 500


class Noted(Protocol):
    """Where failed rows go."""

    def add(self, row: Row, reason: str) -> None: ...


@dataclass
class Tally:
    """How far it has come."""

    line: int = 0
    imported: int = 0
    failed: int = 0
    # Of the imported: by an earlier run of the same command.
    before: int = 0
    # Such a run was heard of, be it by a row that failed.
    is_repeat: bool = False

    @property
    def rows(self) -> int:
        return self.imported + self.failed


@dataclass
class Import:
    """One run through a table."""

    table: Table
    mapped: Mapped
    noted: Noted
    tell: Tell
    tally: Tally = field(default_factory=Tally)
    # Those whose results are still to come.
    _sent: deque[Row] = field(default_factory=deque)

    def send(self, client: Client, aim: Aim, run_id: str) -> Tally:
        for result in self._results(client, aim, run_id):
            row = self._sent.popleft()
            self.tally.is_repeat |= result.repeated
            if isinstance(result, Failed):
                self._fail(row, result.error_text + (f" ({result.field})" if result.field else ""))
            else:
                self.tally.before += result.repeated
                self._count(row)
        return self.tally

    def check(self, checker: Checker) -> Tally:
        """Send nothing, and say what would fail."""
        for row, item in self._items():
            trouble = checker.trouble(item)
            if trouble is None:
                self._count(row)
            else:
                self._fail(row, trouble)
        return self.tally

    def _results(self, client: Client, aim: Aim, run_id: str) -> Iterator[Imported | Failed]:
        if aim.trigger is not None:
            return client.import_and_start(self._sending(), trigger=aim.trigger, run_id=run_id, **aim.how)
        bare = (item.data for item in self._sending())
        return client.import_profiles(bare, db_id=aim.db_id or 0, run_id=run_id, **aim.how)

    def _sending(self) -> Iterator[Item]:
        for row, item in self._items():
            self._sent.append(row)
            yield item

    def _items(self) -> Iterator[tuple[Row, Item]]:
        """What can be made of the rows; the others have failed."""
        for row in self.table.rows():
            if row.values is None:
                self._fail(row, row.wrong or "")
                continue
            try:
                yield row, self.mapped.item(row.values)
            except Unreadable as reason:
                self._fail(row, str(reason))

    def _count(self, row: Row) -> None:
        self.tally.imported += 1
        self._over(row)

    def _fail(self, row: Row, reason: str) -> None:
        self.noted.add(row, reason)
        self.tally.failed += 1
        self._over(row)

    def _over(self, row: Row) -> None:
        self.tally.line = max(self.tally.line, row.line)
        if self.tally.rows % _TOLD_EVERY == 0:
            self.tell(self.tally.line, self.tally.rows, self.tally.failed)
