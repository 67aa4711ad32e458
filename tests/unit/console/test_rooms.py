"""Rooms that cannot be asked."""

from pathlib import Path

import pytest

from profuse.console.watching import asking
from profuse.plain_http import plain_client
from schemas.settings import Settings


@pytest.mark.promise("P-CONSOLE-03")
@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://a..b:9090", "http://[", "http://127.0.0.1:9"])
async def test_one_that_cannot_be_asked_is_shown_as_one_that_does_not_answer(tmp_path: Path, url: str) -> None:
    # As whoever finds a way around the settings would name it.
    settings = Settings().model_copy(update={"console_rooms": [url]})
    async with plain_client(timeout=asking.PATIENCE) as client:
        look = await asking.look(client, await asking.places(settings, tmp_path))

    assert [(room.url, room.problems[0].startswith("does not answer")) for room in look.rooms] == [(url, True)]
