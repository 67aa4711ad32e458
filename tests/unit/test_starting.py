"""Patience with servers that are still starting."""

from collections.abc import Awaitable, Callable

import pytest

from profuse.migrating import starting
from profuse.migrating.starting import while_starting


async def test_a_step_is_repeated_until_the_server_has_started() -> None:
    answers: list[Exception | str] = [OSError("not yet"), OSError("not yet"), "ready"]

    assert await while_starting(_is_passing, _step(answers)) == "ready"


async def test_what_will_not_pass_is_raised_at_once() -> None:
    answers: list[Exception | str] = [ValueError("never"), "ready"]
    with pytest.raises(ValueError, match="never"):
        await while_starting(_is_passing, _step(answers))

    assert answers == ["ready"]


async def test_patience_ends_with_what_was_raised_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 0.0)
    with pytest.raises(OSError, match="not yet"):
        await while_starting(_is_passing, _step([OSError("not yet"), "ready"]))


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, OSError)


def _step(answers: list[Exception | str]) -> Callable[[], Awaitable[str]]:
    async def step() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return step
