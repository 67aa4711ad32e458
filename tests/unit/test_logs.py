"""What libraries say, and how often."""

import logging
import subprocess
import sys

import pytest

from runtime.logs import Repeats

SECRETS = ("s3cret", "abcdefghijklmnqrstuvwxyz", "ann@example.com")
_FAILING = """
import logging, sys
import structlog
from runtime import logs
from schemas.settings import Settings
logs.configure(Settings(log_format=sys.argv[1]))
def handle(token, address):
    options = Settings(postgres="postgresql://us:s3cret@db/profuse").postgres_options()
    raise RuntimeError("nobody foresaw it")
try:
    handle("abcdefghijklmnqrstuvwxyz", {"email": "ann@example.com"})
except RuntimeError:
    structlog.get_logger().exception("request_failed")
    logging.getLogger("library").exception("of a library")
"""


@pytest.mark.promise("P-OPS-16")
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_nothing_of_what_was_at_hand(form: str) -> None:
    # By its input: a file's lines would be quoted.
    said = subprocess.run([sys.executable, "-", form], input=_FAILING, capture_output=True, text=True, timeout=60, check=True).stdout

    assert said.count("nobody foresaw it") == 2
    assert [secret for secret in SECRETS if secret in said] == []


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
