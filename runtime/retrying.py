"""What is done again for as long as the world is to blame."""

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_fixed

from runtime.advice import todo
from runtime.trouble import Trouble, trouble_of

log = structlog.get_logger()


def until_it_is_back(event: str, pause: float) -> AsyncRetrying:
    """Tries again after each `pause`, in seconds, and logs `event`, while what fails is no fault of ours; raises anything else."""

    def waits(state: RetryCallState) -> None:
        error = None if state.outcome is None else state.outcome.exception()
        log.warning(event, why=type(error).__name__, **(todo(error) if isinstance(error, Exception) else {}))

    again = retry_if_exception(lambda error: trouble_of(error) is Trouble.WORLD)
    return AsyncRetrying(retry=again, wait=wait_fixed(pause), before_sleep=waits, reraise=True)
