"""The file of an import: read several times, and each time the bytes that it had at first."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from shutil import copyfileobj
from stat import S_ISDIR, S_ISFIFO, S_ISREG
from typing import IO, Any
from weakref import finalize

from runtime.errors import CannotRun


class Changed(CannotRun):
    """A file holds something else than when it was looked at."""

    def __init__(self, named: Path) -> None:
        super().__init__(f"{named} was changed while it was read: import it when it is complete.")


class Source:
    """A file as it was at first; of a pipe, which can be read once, what came through it. Shown by the name that it is given."""

    def __init__(self, named: Path) -> None:
        """Raises `CannotRun` for what is neither."""
        self.named = self.path = named
        with _told(named):
            mode = named.stat().st_mode
        if S_ISFIFO(mode):
            spool = _spooled(named)
            finalize(self, spool.close)
            # It has no name of its own, so that nothing is left of it, however the import ends.
            self.path = Path(f"/proc/self/fd/{spool.fileno()}")
        elif S_ISDIR(mode):
            raise CannotRun(f"{named} is a directory; name a file in it.")
        elif not S_ISREG(mode):
            raise CannotRun(f"{named} is neither a file nor a pipe.")
        with _told(named):
            self._seen = _state(self.path.stat())

    def __str__(self) -> str:
        return str(self.named)

    @contextmanager
    def opened(self) -> Iterator[BufferedReader]:
        """Its bytes; an error of the system is told also while they are read, and so is a change (`Changed`)."""
        with _told(self.named), self._reader() as stream:
            yield stream

    def digest(self) -> str:
        with self.opened() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _reader(self) -> BufferedReader:
        return BufferedReader(_Unchanged(self))

    def check_again(self) -> None:
        """Of what was read in one go, when all of it is sent; raises `Changed`."""
        with self.opened() as stream:
            self.check(stream.fileno())

    def check(self, opened: int) -> None:
        """Raises `Changed`."""
        if _state(os.fstat(opened)) != self._seen:
            raise Changed(self.named)


class _Unchanged(FileIO):
    """Looks behind each read, so that nothing is handed on that another has written since."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.path)
        self._source = source

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer)
        self._source.check(self.fileno())
        return count

    def readall(self) -> bytes:
        everything = super().readall()
        self._source.check(self.fileno())
        return everything


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _spooled(pipe: Path) -> IO[bytes]:
    with _told(pipe), pipe.open("rb") as stream:
        spool = tempfile.TemporaryFile()  # noqa: SIM115  # its reader closes it
        try:
            copyfileobj(stream, spool)
            spool.flush()
        except OSError as error:
            # It would write what is left.
            with suppress(OSError):
                spool.close()
            where = tempfile.gettempdir()
            raise CannotRun(f"{pipe} does not fit into {where}: {error.strerror}; make room, or name another place by TMPDIR.") from None
        return spool


@contextmanager
def _told(named: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotRun(f"{named} cannot be read: {error.strerror or error}.") from None
