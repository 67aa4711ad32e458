"""A mail server that takes its time after the last byte, as those do that scan each mail."""

import httpx2
import pytest

from tests.stack.door import Door, wait_until
from tests.stack.producer import BATCH, TOKEN, running, value

pytestmark = pytest.mark.timeout(120)

_FINISHED = "SELECT count(*) FROM launches WHERE batch = decode($1, 'hex') AND finished_at IS NOT NULL"


@pytest.mark.promise("P-LAUNCH-28", "P-LAUNCH-29")
def test_a_mail_that_is_answered_after_nine_seconds_is_sent_once(used: Door) -> None:
    body = {"token": TOKEN, "trigger_id": 8, "data": [{"data": {"email": "ann@slow.sink.test"}}]}
    answer = httpx2.post(f"{running(used).api}/api/v1.1/{BATCH}_task", json=body, timeout=20)
    wait_until(lambda: value(used, _FINISHED, answer.json()["data"]["task_id"]) == 1, seconds=60)

    mails = [mail.read_text() for mail in (used.directory / "mail").glob("*.eml")]
    assert sum("To: ann@slow.sink.test" in mail for mail in mails) == 1
