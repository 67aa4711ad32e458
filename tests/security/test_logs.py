"""No log line shows a token, an address or a password: of good requests, bad ones, refused mails, refused rows."""

import json
import re

import pytest

from tests.pipeline.stack import BATCH, TOKEN, Json, Stack
from tests.pipeline.waiting import eventually
from tests.security.strict import PASSWORD

SECRET = "whisper"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.test|\+?7900\d{7}|" + SECRET)
# Each would be quoted by somebody: the parser, a validator, the database, a mail server.
ITEMS: list[Json] = [
    {"data": {"email": "ann@secret.test", "phones": "+79001234567", "_fname": "Ann"}},
    {"data": {"email": f"not an address {SECRET}@"}},
    {"data": {"email": "refused@secret.test"}},
    {"data": {"email": "b@secret.test", "phones": "+7900123456789012345"}},
    {"data": {"email": "c@secret.test", SECRET: SECRET}},
    {"data": {"email": "d@secret.test", "number": SECRET}},
    {"data": {"email": "e@secret.test", "_fname": f"{SECRET}\0"}},
    {"data": {"email": "f@secret.test", "subscriptions": [{"resource_id": 25, "channel": "email", "email": "g@secret.test"}]}},
    {"email": "h@secret.test", "data": {"email": "ann@secret.test"}},
    {"data": 5, SECRET: SECRET},
]
BODIES = [
    b'{"token": "' + SECRET.encode() + b'", "trigger_id": 8',
    json.dumps({"token": SECRET}).encode(),
    json.dumps({"token": TOKEN, SECRET: "x@secret.test"}).encode(),
    json.dumps({"token": TOKEN, "trigger_id": 8, "email": 5, "data": [SECRET]}).encode(),
    json.dumps({"token": TOKEN, "trigger_id": 8, "attach": {"name": SECRET, "data": SECRET}, "data": [{}]}).encode(),
    json.dumps({"token": TOKEN, "db_id": 1, "matching": "phone", "phone": "+79001234567"}).encode(),
    b"\xff" + SECRET.encode(),
]


@pytest.mark.promise("P-OPS-16")
def test_a_log_shows_no_secret_whatever_happens(secured: Stack) -> None:
    secured.import_and_start(ITEMS)
    secured.wait_launched(secured.last_task())
    for path in (BATCH, "profiles/get", "tasks/status"):
        for body in BODIES:
            secured.raw(path, body, {"Request-ID": f"{len(body)}-{path}", "X-Secret": SECRET})
            secured.raw(path, body, {"Authorization": f"Bearer {SECRET}"})
            secured.raw(f"{path}?token={SECRET}", body)

    assert shown(secured.logs()) == []
    # The log was there to be searched.
    assert "batch_accepted" in secured.logs()


@pytest.mark.promise("P-OPS-16")
def test_a_log_shows_no_secret_when_the_database_refuses_data(secured: Stack) -> None:
    refuses = "ALTER TABLE profiles ADD CONSTRAINT refusing CHECK (data->>'_fname' IS DISTINCT FROM 'refused') NOT VALID"
    secured.world.rows(refuses)
    try:
        secured.import_and_start([{"data": {"email": "i@secret.test", "_fname": "refused"}}, {"data": {"email": "j@secret.test"}}])
        eventually(secured.dead_letters, 20, lambda: "the database refuses the profile")
    finally:
        secured.world.rows("ALTER TABLE profiles DROP CONSTRAINT refusing")

    assert shown(secured.logs() + "".join(secured.dead_letters())) == []


def shown(logs: str) -> list[str]:
    """The lines that should not be there."""
    return [line for line in logs.splitlines() if ADDRESS.search(line) or TOKEN in line or PASSWORD in line]
