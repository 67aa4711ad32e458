"""The examples of the client's README, run in their order on a real pipeline, print what stands below them."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from tests.pages import examples
from tests.pipeline.stack import TOKEN, Stack

README = Path(__file__).parents[2] / "client" / "README.md"


@pytest.mark.promise("P-CLIENT-10")
def test_every_example_prints_what_stands_below_it(pipeline: Stack) -> None:
    names: dict[str, Any] = {"url": f"http://127.0.0.1:{pipeline.gateway.port}", "token": TOKEN}
    shown = list(examples(README.read_text(), "python"))
    for example in shown:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.code, str(README), "exec"), names)  # noqa: S102  # it is what a reader would do

        assert printed.getvalue() == example.prints, example.code
    assert len(shown) == 8
