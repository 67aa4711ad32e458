"""Pure: tells the three kinds of trouble apart, for every exception that a chunk may end with.

The world is away: wait for it, loudly. The code is wrong: hold the line until it is mended. The data is to blame, which is
everything else, also what nobody foresaw: find the culprit, set it aside alone, and go on.
"""

from types import TracebackType
from typing import Self

import asyncpg

from runtime import trouble
from runtime.trouble import Trouble, kind_of, state_of
from schemas.messages import NewerVersion, Unreadable
from workers.exactly_once.circuit_breaker import LineStopped
from workers.exactly_once.handler import Conflict, TooMuch

# Another transaction may well meet another state.
_PASSING = (Conflict, asyncpg.IntegrityConstraintViolationError, asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)


OUT_OF_TIME = (asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.TransactionTimeoutError, asyncpg.QueryCanceledError, TimeoutError)
CUT_SHORT = (*OUT_OF_TIME, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError, OSError)
"""What a chunk ends with that took too long, or took its connection with it; whoever ends the connection may be the server."""

# Seconds; no limit that our sessions have is shorter, so a connection that was cut sooner was not cut because of us.
_SHORTEST_LIMIT = 4.5


class Culprit(Exception):
    """What was tried cannot be done, and the data is to blame; the message says why, and quotes nothing of it."""


class Overlong(Exception):
    """A chunk's transaction was cut short in its middle; the cause says how."""


class _UnitOfWork:
    """The one place of the workers' streams where every exception is caught, as a message's and not as the process' end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Exception) and not isinstance(error, Culprit) and trouble_of(error) is Trouble.DATA:
            raise Culprit(_reason(error)) from error


unit_of_work = _UnitOfWork()


def trouble_of(error: BaseException) -> Trouble:
    """Whose fault it is that a chunk ended like this."""
    return trouble.trouble_of(error, _of_one)


def _of_one(error: BaseException) -> Trouble:
    # The next version of this code can read it.
    if isinstance(error, NewerVersion | LineStopped):
        return Trouble.CODE
    return Trouble.WORLD if isinstance(error, Overlong | TooMuch) else trouble.of_one(error)


def is_overlong(error: BaseException, seconds: float) -> bool:
    """Whether a transaction that was cut short so many seconds after its begin may itself have been the reason."""
    return isinstance(error, OUT_OF_TIME) or seconds >= _SHORTEST_LIMIT


def passes(error: BaseException) -> bool:
    """Whether the same may pass in a new transaction, at once."""
    if isinstance(error, Culprit):
        return error.__cause__ is not None and passes(error.__cause__)
    # 40 is a deadlock or a clash of snapshots, 55P03 a lock that others have held for long.
    return isinstance(error, _PASSING) or state_of(error)[:2] == "40" or state_of(error) == "55P03"


def _reason(error: BaseException) -> str:
    """What is stored and logged of it: never its text, which may quote people's addresses."""
    if isinstance(error, BaseExceptionGroup):
        return _reason(next(each for each in error.exceptions if trouble_of(each) is Trouble.DATA))
    if isinstance(error, asyncpg.PostgresError):
        return f"refused by the database: {state_of(error)}"
    if isinstance(error, Unreadable):
        return f"unreadable: {error}"
    if isinstance(error, Conflict):
        return "meets a surprise again and again"
    return kind_of(error)
