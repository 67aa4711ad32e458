"""Pure: whose fault an exception is; the one place where a server that is away is told from a statement that is wrong."""

from enum import Enum

import asyncpg

from runtime.kafka import AWAY as BROKER_AWAY

# What the database says of itself, of us, or of the moment; by the first two letters of SQLSTATE.
_WORLD = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})
# A missing table or column, a missing right or schema, a statement that this server does not know.
_CODE = frozenset({"0A", "26", "3F", "42"})
# Transactions that it ended, and those that are no more.
_ENDED = frozenset({"25P02", "25P03", "25P04"})
# asyncpg's own: connections that are closed or closing, and caches that a migration has outdated.
_CLIENT = (asyncpg.InterfaceError, asyncpg.InternalClientError)


class Trouble(Enum):
    """The world is away: wait for it. The code is wrong: let nothing be lost until it is mended. Else the data is to blame."""

    WORLD = "world"
    CODE = "code"
    DATA = "data"


def trouble_of(error: BaseException) -> Trouble:
    """Whose fault it is: of several the world's, before the code's; and of what nobody foresaw, the data's."""
    if isinstance(error, BaseExceptionGroup):
        kinds = {trouble_of(each) for each in error.exceptions}
        return next(kind for kind in Trouble if kind in kinds)
    if isinstance(error, asyncpg.PostgresError):
        return _of_state(error)
    # Of a value that a column cannot hold the client speaks before the server does.
    away = isinstance(error, (*BROKER_AWAY, *_CLIENT, OSError, TimeoutError)) and not isinstance(error, ValueError)
    return Trouble.WORLD if away else Trouble.DATA


def state_of(error: BaseException) -> str:
    """SQLSTATE, or nothing where no server spoke."""
    return getattr(error, "sqlstate", None) or ""


def _of_state(error: asyncpg.PostgresError) -> Trouble:
    state = state_of(error)
    if state[:2] in _WORLD or state in _ENDED or isinstance(error, asyncpg.InvalidCachedStatementError):
        return Trouble.WORLD
    return Trouble.CODE if state[:2] in _CODE else Trouble.DATA
