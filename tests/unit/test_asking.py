"""Questions that nobody answers."""

import io
import sys
from typing import NoReturn

import pytest

from profuse.commands.asking import agreed
from runtime.errors import CannotRun


class Leaving(io.StringIO):
    def readline(self, size: int | None = -1, /) -> NoReturn:
        raise KeyboardInterrupt


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("answers", [io.StringIO(), io.StringIO("perhaps\n"), Leaving()], ids=["no terminal", "an end", "Ctrl-C"])
def test_a_question_that_nobody_answers_changes_nothing_and_says_how_it_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stdin", answers)
    with pytest.raises(CannotRun, match="Nothing was changed, for nobody answered: --yes does not ask"):
        agreed("Go on?", err=True)
    said = capsys.readouterr()

    # What comes next begins a line.
    assert (said.out.strip(), said.err[-1]) == ("", "\n")


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize(("answer", "is_yes"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_an_answer_is_taken(monkeypatch: pytest.MonkeyPatch, answer: str, is_yes: bool) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))

    assert agreed("Go on?") is is_yes
