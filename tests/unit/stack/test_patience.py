"""How long `up` waits for a stack that is slow to start."""

import itertools

import pytest

from profuse.pacing import now_and_then
from profuse.stack import starting
from runtime.errors import CannotRun


@pytest.mark.promise("P-DOOR-36")
def test_a_stack_that_says_how_far_it_is_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_PATIENCE", 0.15)
    asked, said = iter([False] * 5 + [True]), itertools.count()

    starting._wait_until(lambda: next(asked), "late", lambda: next(said))


@pytest.mark.promise("P-DOOR-36")
def test_a_stack_that_says_nothing_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_PATIENCE", 0.15)
    with pytest.raises(CannotRun, match="late"):
        starting._wait_until(lambda: False, "late", lambda: 7)


@pytest.mark.promise("P-DOOR-36")
def test_what_is_done_soon_is_done_in_silence() -> None:
    said: list[str] = []
    soon, later = now_and_then(said.append), now_and_then(said.append, every=0)
    for line in ("500 profiles are filed", "1,000 profiles are filed"):
        soon(line)
    later("1,500 profiles are filed")

    assert said == ["1,500 profiles are filed"]
