"""What is done again for as long as the world is to blame."""

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_fixed

from runtime.advice import todo
from runtime.trouble import Trouble, kind_of, trouble_of

log = structlog.get_logger()


def until_it_is_back(event: str, pause: float, **named: str) -> AsyncRetrying:
    """Tries again after each `pause`, in seconds, and logs `event`, while what fails is no fault of ours; raises anything else."""

    def waits(state: RetryCallState) -> None:
        error = None if state.outcome is None else state.outcome.exception()
        if isinstance(error, Exception):
            tell(event, error, **named)

    again = retry_if_exception(lambda error: trouble_of(error) is Trouble.WORLD)
    return AsyncRetrying(retry=again, wait=wait_fixed(pause), before_sleep=waits, reraise=True)


def tell(event: str, error: Exception, **named: str) -> None:
    """What a loop says that turns on: a warning while the world is away, and an error where no wait mends it."""
    trouble = trouble_of(error)
    if trouble is Trouble.WORLD:
        log.warning(event, **{"why": type(error).__name__, **todo(error), **named})
    else:
        # What Postgres says of data quotes people's addresses.
        log.error(event, why=kind_of(error), exc_info=error if trouble is Trouble.CODE else None, **named)
