"""What a file changes, and what it may not say: no database is needed to tell."""

from base64 import b64encode

import pytest

from profuse.applying import BadDeclaration
from profuse.applying.desired import wanted
from profuse.applying.file import read
from schemas.tokens import hashed
from store.configuration.model import Key, Kind, Stored
from store.configuration.planning import plan, prune

FILE = """
[[accounts]]
id = 1
name = "demo"
tokens = [{ name = "producer", value = "first-token" }]

[[accounts.databases]]
id = 1
name = "Customers"
fields = { plan = { type = "enum", options = ["free", "pro"] }, interests = "tags" }

[[accounts.databases]]
id = 2
name = "Others"

[[accounts.resources]]
id = 24
name = "Newsletter"
channel = "email"
database = 1

[[accounts.triggers]]
id = 8
name = "Welcome"
type = "update"
database = 1
channel = "email"
resource = 24
sender = "Demo <demo@example.com>"
subject = "Hello"
html = "<p>Hello</p>"
fields = ["plan", "_fname", "email"]
"""

DATABASE = Key(Kind.DATABASE, 1, 1)


def test_everything_new_is_created_in_an_order_that_references_allow() -> None:
    lines = [str(change) for change in plan(wanted(read(FILE)), Stored())]

    assert lines == [
        "account 1: created",
        "account 1, token producer: created",
        "account 1, database 1: created",
        "account 1, database 2: created",
        "account 1, resource 24: created",
        "account 1, trigger 8: created",
    ]


def test_what_is_stored_already_is_no_change() -> None:
    assert changes(FILE) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('name = "Welcome"', 'name = "Hi"\nactive = false', "account 1, trigger 8: changed name, active"),
        ('name = "Welcome"', 'name = "Welcome"\nactive = false', "account 1, trigger 8: deactivated"),
        ('value = "first-token"', 'value = "other-token"', "account 1, token producer: changed value"),
        ('value = "first-token"', "revoked = true", "account 1, token producer: revoked"),
        ('value = "first-token"', "expires = 2027-01-01T00:00:00Z", "account 1, token producer: changed expires"),
        ('value = "first-token"', 'rights = ["read"]', "account 1, token producer: changed rights"),
        ('value = "first-token"', "in_flight = 50000", "account 1, token producer: changed in_flight"),
        ('value = "first-token"', 'http_status = "always_200"', "account 1, token producer: changed http_status"),
        ('interests = "tags"', 'interests = "tags", age = "int"', "account 1, database 1: changed fields"),
        ('["free", "pro"]', '["free", "pro", "team"]', "account 1, database 1: changed fields"),
    ],
)
def test_a_change_is_told_by_its_thing_and_what_of_it(old: str, new: str, line: str) -> None:
    assert changes(FILE.replace(old, new)) == [line]


@pytest.mark.parametrize("kept", ['value = "first-token"', "rights = ['read', 'launch', 'import']"])
def test_a_stored_token_needs_no_value_and_rights_have_no_order(kept: str) -> None:
    assert changes(FILE.replace('value = "first-token"', kept)) == []


@pytest.mark.promise("P-APPLY-04")
def test_fields_that_the_file_does_not_name_stay() -> None:
    assert changes(FILE.replace(', interests = "tags"', "")) == []


@pytest.mark.promise("P-APPLY-04")
def test_what_the_file_does_not_name_stays_unless_it_is_pruned() -> None:
    account = FILE[: FILE.index("tokens")]

    assert changes(account) == []
    assert [str(change) for change in prune(wanted(read(account)), stored(FILE))] == [
        "account 1, token producer: revoked",
        "account 1, trigger 8: deactivated",
    ]


@pytest.mark.promise("P-APPLY-06")
def test_the_type_of_a_field_cannot_change() -> None:
    with pytest.raises(
        BadDeclaration, match=r"accounts\[0\]\.databases\[0\]\.fields\.interests: the type cannot change from tags to string"
    ):
        changes(FILE.replace('"tags"', '"string"'))


def test_a_field_is_matched_by_from_its_first_profile_on() -> None:
    matched = FILE.replace('"tags"', '{ type = "tags", match = true }')
    with pytest.raises(BadDeclaration, match=r"fields\.interests\.match: profiles exist"):
        plan(wanted(read(matched)), Stored(stored(FILE).things, populated={DATABASE: 7}))

    (change,) = plan(wanted(read(matched)), stored(FILE))

    assert (str(change), change.indexed, change.is_swept) == ("account 1, database 1: changed fields", ("interests",), True)


@pytest.mark.promise("P-APPLY-07")
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("database = 1\nchannel", "database = 9\nchannel", "accounts[0].triggers[0].database: account 1 has no database 9"),
        ("resource = 24", "resource = 25", "accounts[0].triggers[0].resource: account 1 has no resource 25"),
        ('["plan", "_fname", "email"]', '["plan", "plam"]', "accounts[0].triggers[0].fields[1]: the database has no field plam"),
        ('type = "update"', 'type = "api_call"', "accounts[0].triggers[0].fields: only a trigger of type update has fields"),
        (
            'channel = "email"\ndatabase = 1',
            'channel = "email"\ndatabase = 3',
            "accounts[0].resources[0].database: account 1 has no database 3",
        ),
        ("id = 2\n", "id = 1\n", "accounts[0].databases[1]: account 1, database 1 is already at accounts[0].databases[0]"),
        (" }]\n", ' }, { name = "producer" }]\n', "accounts[0].tokens[1]: account 1, token producer is already at accounts[0].tokens[0]"),
        (
            " }]\n",
            ' }, { name = "second", value = "first-token" }]\n',
            "accounts[0].tokens[0].value: another token has this value; choose a new one",
        ),
        (
            "database = 1\nchannel",
            "database = 2\nchannel",
            "accounts[0].triggers[0].resource: database of resource 24 is 1, the trigger's is 2",
        ),
        (
            'channel = "email"\ndatabase = 1',
            'channel = "sms"\ndatabase = 1',
            "accounts[0].triggers[0].resource: channel of resource 24 is sms, the trigger's is email",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_by_its_place(old: str, new: str, problem: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        plan(wanted(read(FILE.replace(old, new))), Stored())

    assert problem in str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("database = 1\nchannel", "database = 2\nchannel", "accounts[0].triggers[0].database: cannot change from 1 to 2"),
        ('channel = "email"\ndatabase = 1', 'channel = "push"\ndatabase = 1', "accounts[0].resources[0].channel: cannot change from email"),
        ('channel = "email"\ndatabase = 1', 'channel = "email"\ndatabase = 2', "accounts[0].resources[0].database: cannot change from 1"),
    ],
)
def test_what_profiles_and_launches_belong_to_cannot_move(old: str, new: str, problem: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        changes(FILE.replace(old, new))

    assert problem in str(refused.value)


def test_a_token_value_of_somebody_else_is_refused_without_a_name() -> None:
    holders = {hashed("first-token"): Key(Kind.TOKEN, 77, "secret-name")}
    with pytest.raises(BadDeclaration) as refused:
        plan(wanted(read(FILE)), Stored(holders=holders))

    assert str(refused.value) == "accounts[0].tokens[0].value: another token has this value; choose a new one"


def changes(text: str) -> list[str]:
    """What the text changes where FILE is stored."""
    return [str(change) for change in plan(wanted(read(text)), stored(FILE))]


def stored(text: str) -> Stored:
    things = wanted(read(text))
    holders = {thing.values["hash"]: key for key, thing in things.items() if "hash" in thing.values}
    return Stored({key: thing.values for key, thing in things.items()}, holders)


SECRET = "whsec_" + b64encode(bytes(32)).decode()
WAYS = (
    FILE
    + f"""
[[accounts.resources]]
id = 25
name = "Devices"
channel = "push"
database = 1

[[accounts.providers]]
name = "sms-main"
channel = "sms"
url = "https://sms.test/send"
secrets = ["{SECRET}"]
rate = 50

[[accounts.providers]]
name = "push-main"
channel = "push"
url = "https://push.test/send"
secrets = ["{SECRET}", "{SECRET}"]

[[accounts.providers]]
name = "own-server"
channel = "email"
url = "smtps://user:password@mail.test"

[[accounts.triggers]]
id = 20
name = "Text"
type = "api_call"
database = 1
channel = "sms"
text = "Hi {{lead._fname}}"

[[accounts.triggers]]
id = 21
name = "Device"
type = "api_call"
database = 1
channel = "push"
resource = 25
provider = "push-main"
text = "Hi"
"""
)


@pytest.mark.promise("P-APPLY-11")
def test_providers_are_made_before_the_triggers_that_leave_by_them_and_are_no_change_afterwards() -> None:
    lines = [str(change) for change in plan(wanted(read(WAYS)), Stored())]

    assert lines.index("account 1, provider push-main: created") < lines.index("account 1, trigger 21: created")
    assert plan(wanted(read(WAYS)), stored(WAYS)) == []
    (change,) = plan(wanted(read(WAYS.replace("rate = 50", "rate = 60"))), stored(WAYS))
    assert str(change) == "account 1, provider sms-main: changed rate"


SMS = 'name = "sms-main"\nchannel = "sms"'
SIGNED = f'url = "https://sms.test/send"\nsecrets = ["{SECRET}"]'
TEXT = 'channel = "sms"\ntext = "Hi {lead._fname}"'
SECOND = f"""
[[accounts.providers]]
name = "sms-other"
channel = "sms"
url = "https://other.test/send"
secrets = ["{SECRET}"]
"""


@pytest.mark.promise("P-APPLY-11")
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('provider = "push-main"', 'provider = "sms-main"', "triggers[2].provider: the channel of sms-main is sms, the trigger's is push"),
        ('provider = "push-main"', 'provider = ["push-main", "x"]', "triggers[2].provider: account 1 has no provider x"),
        (SMS, SMS.replace('"sms"', '"webhook"'), "triggers[1].provider: account 1 has no provider of channel sms; add one to `providers`"),
        (FILE, FILE + SECOND, "triggers[1].provider: must be one of sms-other, sms-main, or several in the order in which they are tried"),
        ("https://sms.test/send", "smtp://sms.test", "providers[0].url: a provider of channel sms has an address of http or https"),
        ("smtps://user:password@mail.test", "https://mail.test", "providers[2].url: a provider of channel email has an address of smtp"),
        (SIGNED, 'url = "https://sms.test/send"', "providers[0].secrets: without one the receiver cannot know that a message is yours"),
        (TEXT, TEXT.replace('text = "Hi {lead._fname}"', ""), "triggers[1].text: a trigger of channel sms must have it"),
        (TEXT, TEXT + '\nsubject = "x"', "triggers[1].subject: a trigger of channel sms has none"),
        ("resource = 25\n", "", "triggers[2].resource: a profile has no address of its own for push; name a resource to subscribe to"),
    ],
)  # fmt: skip
def test_what_cannot_leave_is_refused_before_the_first_one_is_due(old: str, new: str, problem: str) -> None:
    assert old in WAYS
    with pytest.raises(BadDeclaration) as refused:
        plan(wanted(read(WAYS.replace(old, new))), Stored())

    assert f"accounts[0].{problem}" in str(refused.value).splitlines()
    assert SECRET not in str(refused.value)
    assert "password" not in str(refused.value)


@pytest.mark.promise("P-APPLY-11")
def test_a_second_provider_asks_the_triggers_of_before_for_a_choice() -> None:
    account = '[[accounts]]\nid = 1\nname = "demo"\n'
    with pytest.raises(BadDeclaration, match=r"providers\[0\]: beside sms-main, trigger 20 has to say which `provider` it leaves by"):
        plan(wanted(read(account + SECOND)), stored(WAYS))
