"""Pure: what is told where a page cannot be shown."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from profuse.console.pages.asked import Refused
from runtime.errors import CannotRun
from runtime.postgres import POSTGRES_ERRORS, SILENT

FORESEEN: tuple[type[Exception], ...] = (HTTPException, Refused, CannotRun, DBAPIError, *POSTGRES_ERRORS)


def told(error: Exception) -> tuple[int, str, str]:
    """Status, title, and a sentence."""
    if isinstance(error, Refused):
        return error.status, "This cannot be shown", str(error)
    if isinstance(error, HTTPException):
        return error.status_code, "There is no such page" if error.status_code == 404 else "This cannot be done", error.detail
    if isinstance(error, CannotRun) and not isinstance(error.__cause__, SILENT):
        return 400, "This cannot be done", str(error)
    if isinstance(error, asyncpg.QueryCanceledError):
        return (
            503,
            "This takes too long",
            "Postgres was asked to stop after ten seconds: narrow it down, or look again when it has less to do.",
        )
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return 503, "The tables are of another release", "Run `profuse migrate` first."
    if isinstance(error, (CannotRun, DBAPIError, *POSTGRES_ERRORS)):
        return 503, "Postgres does not answer", "Nothing is lost by that: this page comes back when Postgres does."
    return 500, "Something is wrong with this page", "The console's log says what. Nothing was changed by it."
