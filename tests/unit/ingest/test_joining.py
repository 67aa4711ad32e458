"""What is written together leaves together."""

import asyncio
from collections.abc import Callable

import pytest

from runtime.joining import Joining
from schemas.settings import KIB

pytestmark = pytest.mark.promise("P-HTTP-01")


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed_after = -1

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed_after = len(self.written)

    def is_closing(self) -> bool:
        return self.closed_after >= 0


class Turn(list[Callable[[], None]]):
    """What is to be done at the end of a turn of the loop."""

    def ends(self) -> None:
        while self:
            self.pop()()


def test_a_head_and_its_body_are_one_write() -> None:
    wire, turn = Wire(), Turn()
    joining = Joining(wire, turn.append)
    for _ in range(2):
        joining.write(b"head ")
        joining.write(b"body")
        before = len(wire.written)
        turn.ends()

    assert (wire.written, before) == ([b"head body"] * 2, 1)


def test_what_is_long_is_not_copied_and_keeps_its_place() -> None:
    wire, turn = Wire(), Turn()
    joining = Joining(wire, turn.append)
    long = b"x" * (64 * KIB + 1)
    for data in (b"head ", long, b"end"):
        joining.write(data)
    turn.ends()

    assert wire.written == [b"head ", long, b"end"]


def test_nothing_is_lost_of_what_was_written_before_the_end() -> None:
    wire, turn = Wire(), Turn()
    joining = Joining(wire, turn.append)
    joining.write(b"last")
    joining.close()
    turn.ends()

    assert (wire.written, wire.closed_after, joining.is_closing()) == ([b"last"], 1, True)
