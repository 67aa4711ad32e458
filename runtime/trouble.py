"""Pure: whose fault an exception is; the one place where a server that is away is told from a statement that is wrong."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from traceback import extract_tb

import asyncpg

from runtime.kafka import AWAY as BROKER_AWAY
from runtime.postgres import SILENT

# What the database says of itself, of us, or of the moment; by the first two letters of SQLSTATE.
_WORLD = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})
# A missing table or column, a missing right or schema, a statement that this server does not know.
_CODE = frozenset({"0A", "26", "3F", "42"})
# Transactions that it ended, and those that are no more.
_ENDED = frozenset({"25P02", "25P03", "25P04"})
# A standby, or a server that somebody, or its full disk, has set read-only.
_READ_ONLY = "25006"


class Trouble(Enum):
    """The world is away: wait for it. The code is wrong: let nothing be lost until it is mended. Else the data is to blame."""

    WORLD = "world"
    CODE = "code"
    DATA = "data"


def of_one(error: BaseException) -> Trouble:
    """Whose fault an error is that is no group; of what nobody foresaw, the data's."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_state(error)
    # Of a value that a column cannot hold the client speaks before the server does.
    away = isinstance(error, (*BROKER_AWAY, *SILENT)) and not isinstance(error, ValueError)
    return Trouble.WORLD if away else Trouble.DATA


def trouble_of(error: BaseException, of: Callable[[BaseException], Trouble] = of_one) -> Trouble:
    """Whose fault it is: of several the world's, before the code's, before the data's. `of` tells it of one."""
    if isinstance(error, BaseExceptionGroup):
        kinds = {trouble_of(each, of) for each in error.exceptions}
        return next(kind for kind in Trouble if kind in kinds)
    return of(error)


def passes_by_itself(error: BaseException) -> bool:
    """Whether who starts waits for it: a server that is silent, or has no disk or no connection left; not one that refuses a password."""
    return isinstance(error, (*SILENT, asyncpg.InsufficientResourcesError))


def innermost(error: BaseException) -> BaseException:
    """What went wrong first, of what task groups have wrapped."""
    return innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def kind_of(error: BaseException) -> str:
    """By which two bugs are told apart: its type and the line that raised it, never its text, which may quote people's addresses."""
    place = extract_tb(error.__traceback__, limit=-1)
    return type(error).__name__ + "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in place)


def state_of(error: BaseException) -> str:
    """SQLSTATE, or nothing where no server spoke."""
    return getattr(error, "sqlstate", None) or ""


def _of_state(error: asyncpg.PostgresError) -> Trouble:
    state = state_of(error)
    if state[:2] in _WORLD or state in _ENDED or state == _READ_ONLY or isinstance(error, asyncpg.InvalidCachedStatementError):
        return Trouble.WORLD
    return Trouble.CODE if state[:2] in _CODE else Trouble.DATA
