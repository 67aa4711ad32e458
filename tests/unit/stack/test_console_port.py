"""Where the console of a stack listens."""

import socket
from pathlib import Path

import pytest

from profuse.stack import rooms
from profuse.stack.starting import _console_listening
from runtime.errors import CannotRun
from schemas.settings import Settings

pytestmark = pytest.mark.promise("P-CONSOLE-01")


def test_two_stacks_have_two_consoles_each_at_an_address_that_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(console_port=other.getsockname()[1])
        with _console_listening(tmp_path, settings) as first:
            port = first.getsockname()[1]
        with _console_listening(tmp_path, settings) as again:
            assert again.getsockname()[1] == port != settings.console_port


def test_a_port_that_somebody_asked_for_is_that_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("PROFUSE_CONSOLE_PORT", str(other.getsockname()[1]))

        with pytest.raises(CannotRun, match="set PROFUSE_CONSOLE_PORT"):
            _console_listening(tmp_path, Settings())


def test_only_the_console_gets_its_socket_and_only_the_others_get_the_gateway_s(tmp_path: Path) -> None:
    settings = Settings(socket_fd=7, console_fd=8)

    assert rooms.room("console-1", "console", settings, 1, tmp_path).inherited == (8,)
    assert rooms.room("gateway-1", "gateway", settings, 1).inherited == (7,)
    assert rooms.room("console-1", "console", settings, 1, tmp_path).environment["PROFUSE_DIR"] == str(tmp_path)
