"""A database that is away is everybody's trouble: it ends no launch, no page and no group."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from runtime.advice import todo
from runtime.postgres import POSTGRES_ERRORS
from runtime.trouble import Trouble, trouble_of

log = structlog.get_logger()


@contextmanager
def database_may_be_away(event: str) -> Iterator[None]:
    """Goes on behind the block, and logs `event`; what was left undone is for the caller to do again, or to do without."""
    try:
        yield
    except POSTGRES_ERRORS as error:
        if trouble_of(error) is not Trouble.WORLD:
            raise
        log.warning(event, why=type(error).__name__, **todo(error))
