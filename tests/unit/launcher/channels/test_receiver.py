"""The receiver that docs/channels.md shows."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.outbound.signing import signed
from tests.unit.launcher.channels.conftest import SECRET

PAGE = Path(__file__).parents[4] / "docs" / "channels.md"


@pytest.mark.promise("P-OUT-01")
def test_the_receiver_of_the_page_takes_what_is_ours_once_and_nothing_else() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    taken: list[bytes] = []
    names: dict[str, Any] = {"SECRET": SECRET, "send": taken.append}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102  # it is our own page
    receive = names["receive"]
    headers = dict(signed([SECRET], "launch-1", int(datetime.now(UTC).timestamp()), b'{"a": 1}'))

    answers = [receive(headers, b'{"a": 1}'), receive(headers, b'{"a": 1}'), receive(headers, b'{"a": 2}')]

    assert answers == [204, 204, 401]
    assert taken == [b'{"a": 1}']
