"""What libraries say, and how often."""

import logging

from profuse.logs import Repeats


def test_a_line_that_comes_again_at_once_is_left_out() -> None:
    repeats = Repeats()
    lines = ("Connection refused", "Connection refused", "Coordinator dead", "Connection refused")

    assert [line for line in lines if repeats.filter(logging.makeLogRecord({"name": "aiokafka", "msg": line}))] == [
        "Connection refused",
        "Coordinator dead",
    ]
