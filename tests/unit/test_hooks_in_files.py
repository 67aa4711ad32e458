"""What a file for `apply` may say of hooks."""

import pytest

from profuse.applying import BadDeclaration
from profuse.applying.file import read
from schemas.events import EVENT_TYPES
from workers.launcher.model import Ending

SECRET = "whsec_" + "a" * 32
GOOD = f"""
[[accounts]]
id = 1
name = "demo"
[[accounts.hooks]]
name = "crm"
url = "https://crm.example.com/events"
secrets = ["{SECRET}"]
"""


@pytest.mark.promise("P-APPLY-21")
def test_a_hook_has_defaults() -> None:
    (hook,) = read(GOOD).accounts[0].hooks

    assert hook.model_dump() == {
        "name": "crm",
        "url": "https://crm.example.com/events",
        "secrets": [SECRET],
        "events": None,
        "batch": 500,
        "timeout": 10,
        "success": "",
        "active": True,
    }


@pytest.mark.promise("P-APPLY-21")
@pytest.mark.parametrize(("line", "problem"), [
    ('secrets = ["whsec_secret"]', "secrets[0]: must be whsec_ and the base64 of 24 to 64 bytes"),
    (f'secrets = ["{SECRET}", "{SECRET[:-4]}"]', "secrets[1]: must be whsec_ and the base64 of 24 to 64 bytes"),
    ("secrets = []", "secrets: List should have at least 1 item"),
    ('url = "ftp://crm.example.com"', "url: must be an address like https"),
    ('url = "smtp://user:secret@crm.example.com"', "url: must be an address like"),
    ('url = "https:///events"', "url: must be an address like"),
    ('url = "https://crm.example.com:99999/"', "url: must be an address like"),
    ('url = "https://user:secret@crm.example.com/\\nx"', "url: must be one line of text"),
    ('events = ["send", "uopen"]', f"events[1]: must be one of {', '.join(EVENT_TYPES)}"),
    ("events = []", "events: List should have at least 1 item"),
    ("batch = 0", "batch: Input should be greater than or equal to 1"),
    ("timeout = 61", "timeout: Input should be less than or equal to 60"),
    ('success = "("', "success: is no regular expression"),
    ('success = "(?=a)"', "success: is no regular expression, or one that looks around or back"),
    ('success = "a{20000}"', "success: is too large"),
    ('colour = "red"', "colour: unknown key"),
])  # fmt: skip
def test_a_bad_hook_is_refused_with_its_place(line: str, problem: str) -> None:
    key = line.partition(" ")[0]
    kept = [given for given in GOOD.splitlines() if not given.startswith(f"{key} =")]
    with pytest.raises(BadDeclaration) as refused:
        read("\n".join([*kept, line]))

    assert str(refused.value).startswith(f"accounts[0].hooks[0].{problem}")
    assert "secret@" not in str(refused.value)
    assert "whsec_secret" not in str(refused.value)


@pytest.mark.promise("P-APPLY-21")
def test_every_type_of_event_that_is_told_can_be_asked_for() -> None:
    assert set(Ending) | {"import_api", "launch"} == set(EVENT_TYPES)
