"""What libraries say, and how often."""

import logging

from runtime.logs import Repeats


def test_a_line_that_comes_again_at_once_is_left_out() -> None:
    repeats = Repeats()
    lines = ("Connection refused", "Connection refused", "Coordinator dead", "Connection refused")

    assert [line for line in lines if repeats.filter(logging.makeLogRecord({"name": "aiokafka", "msg": line}))] == [
        "Connection refused",
        "Coordinator dead",
    ]


def test_lines_that_differ_do_not_fill_memory() -> None:
    repeats = Repeats()
    for number in range(5_000):
        repeats.filter(logging.makeLogRecord({"msg": f"request {number}"}))

    assert len(repeats._said) <= 1_000
