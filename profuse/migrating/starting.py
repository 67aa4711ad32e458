"""Patience with servers that are still starting."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 15.0


async def while_starting(
    is_passing: Callable[[BaseException], bool], step: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Repeat the step for as long as a server may need to start; then raise what it raised."""
    attempts = AsyncRetrying(
        retry=retry_if_exception(is_passing), stop=stop_after_delay(PATIENCE), wait=wait_random_exponential(0.1, max=1), reraise=True
    )
    return await attempts(step, *args, **kwargs)
