"""Pure: what an operator is told to do."""

import asyncpg

from runtime.advice import KAFKA_AWAY, POSTGRES_AWAY, todo
from runtime.postgres import POSTGRES_ERRORS
from runtime.schema import OldTables
from runtime.subscribing import TopicMissing
from runtime.trouble import Trouble
from workers.exactly_once.circuit_breaker import LineStopped
from workers.exactly_once.trouble import Culprit, Overlong, trouble_of

_FIX = "Nothing was set aside. Deploy a fix, or the version before: the messages are tried again until they pass."
_AGAIN = "nothing: it is tried again, with fewer messages at a time; one that takes too long even alone is set aside"
_MIGRATE = "run `profuse migrate`; it goes on by itself"

_NOT_MIGRATED = (TopicMissing, OldTables, asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError)
# It answers, and says no.
_REFUSING = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError)


def advice(error: Exception) -> str:
    """What helps against it."""
    match error:
        case LineStopped() | Culprit():
            return _FIX
        case Overlong() | asyncpg.LockNotAvailableError() | asyncpg.TransactionTimeoutError() | asyncpg.QueryCanceledError():
            return _AGAIN
        case _ if isinstance(error, _NOT_MIGRATED):
            return _MIGRATE
        case _ if isinstance(error, _REFUSING):
            return "set PROFUSE_POSTGRES, or let its user in; it goes on by itself"
        case asyncpg.DiskFullError() | asyncpg.ReadOnlySQLTransactionError():
            return todo(error)["todo"]
        case asyncpg.PostgresConnectionError() | asyncpg.OperatorInterventionError() | asyncpg.InterfaceError() | OSError():
            return POSTGRES_AWAY
        case _ if isinstance(error, POSTGRES_ERRORS):
            return "see the log of Postgres; it is tried again"
    return KAFKA_AWAY


def shown(error: Exception) -> str:
    """What may be logged: of data that was refused Postgres quotes the values, which are people's addresses."""
    if isinstance(error, Overlong) and isinstance(error.__cause__, Exception):
        return f"cut short: {shown(error.__cause__)}"
    if isinstance(error, asyncpg.PostgresError):
        quotes = trouble_of(error) is Trouble.DATA
        return f"{type(error).__name__} ({error.sqlstate})" + ("" if quotes else f": {error.args[0]}")
    return f"{type(error).__name__}: {error}"
