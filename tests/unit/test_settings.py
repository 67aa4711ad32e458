"""Settings that would let a process spin, stall, or be refused by a server are refused themselves, by name."""

import sys

import pytest
from pydantic import ValidationError

from profuse.__main__ import main
from schemas.settings import Settings

SENSELESS = {
    "lease": ("PT0S", "-PT5S", "P2D"),
    "accepting_lease": ("PT0S", "-PT1S"),
    "reply_deadline": ("PT0S", "PT2H"),
    "incomplete_after": ("-PT1S",),
    "retention_every": ("PT0S", "PT0.5S"),
    "claim_every": ("PT0S",),
    "client_patience": ("PT0S",),
    "session_timeout": ("PT1S", "PT1H"),
    "batch_kept": ("PT0S", "-P1D"),
    "records_kept": ("-P1D",),
    "request_id_kept": ("PT0S",),
    "chunk": ("0", "1000000"),
    "page": ("0", "5000"),
    "claim_groups": ("0", "1000000"),
    "smtp_connections": ("100000",),
    "item_limit": ("0", "1000000"),
    "body_limit": ("0", "99999999999"),
    "attach_body_limit": ("99999999999",),
    "profiles_limit": ("0", "1000000000"),
    "in_flight_limit": ("0",),
    "connections_limit": ("0", "1000000"),
    "gateway_connections": ("0", "1000000"),
    "partitions": ("0", "1000000"),
    "replication": ("0",),
}


@pytest.mark.promise("P-DOOR-31")
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SENSELESS.items() for value in values])
def test_a_senseless_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PROFUSE_{name.upper()}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()

    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


@pytest.mark.promise("P-DOOR-31")
def test_the_refusal_names_the_variable_and_what_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFUSE_LEASE", "PT0S")
    monkeypatch.setattr(sys, "argv", ["profuse", "settings"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value).startswith("profuse: PROFUSE_LEASE: Input should be greater than or equal to 1 second")
