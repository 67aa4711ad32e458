"""What requests may change of a campaign whose message was stored before something more was asked of messages."""

import json
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from ingest.endpoints.declaring import declare, make
from ingest.endpoints.making import is_quick
from ingest.endpoints.parameters import checked
from ingest.endpoints.trigger_parameters import UpdateTrigger
from ingest.request_errors import Refused
from profuse.applying import BadDeclaration, desired
from profuse.applying.file import accounts_of, read
from schemas.templating.preview import branches
from store.configuration import converting
from store.configuration.model import Key, Kind, Stored, Values
from tests.launching import launch
from tests.unit.launcher.test_mails import DOMAIN, NOW
from tests.unit.test_files_for_apply import ACCOUNT, DATABASE, TRIGGER
from workers.launcher.channels.email.mail import compose
from workers.launcher.channels.http.messages import compose as compose_message

pytestmark = pytest.mark.promise("P-LAUNCH-19", "P-FAMILY-12")
LEAD = {"plan": "pro"}
# Each was sent as it is written, or cannot be read any more.
OLD = ["<p>{IF lead.plan}Pro{end}</p>", "<p>{if lead.plan equal &quot;pro&quot;}Pro</p>", "{if&nbsp;lead.plan equal}Pro{end}"]
AS_IT_IS = [
    *OLD,
    "<p>{if lead.plan equal &ldquo;pro&rdquo;}Pro{else}Free{end}</p>",
    "<p>{if lead.plan &gt; 5}Pro{end}</p>",
    "<p>{if&nbsp;you have any question, write us}</p>",
    "<p>{if\u00a0you have any question, write us}</p>",
]
# And what was sent of them.
SENT = {html: html for html in AS_IT_IS} | {
    "<p>{if lead.plan==pro}Pro{else}Free{end}</p>": "<p>Free</p>",
    "{if&nbsp;you may}{if lead.plan}a{else}b{end}": "{if&nbsp;you may}a",
}


def stored(html: str) -> Stored:
    things = {key: thing.values for key, thing in desired.wanted(read(ACCOUNT + DATABASE + TRIGGER)).items()}
    key = Key(Kind.TRIGGER, 1, 8)
    return Stored(things={**things, key: {**things[key], "html": html, "text": ""}})


def changed(html: str, **changes: Any) -> Values:
    return make(*declare(checked(UpdateTrigger, {"id": 8, **changes}), 1, stored(html))).values()


@pytest.mark.parametrize("html", OLD)
def test_a_campaign_whose_message_would_be_refused_today_can_be_stopped(html: str) -> None:
    values = changed(html, is_active=False)

    assert (values["active"], values["html"]) == (False, html)


@pytest.mark.parametrize("html", OLD)
def test_it_can_be_given_the_message_that_it_has(html: str) -> None:
    content = [{"subject": "Hi", "from_email": "demo@example.com", "html": html}]

    assert changed(html, content=content)["subject"] == "Hi"


def test_one_without_a_text_is_not_converted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    html = "<p>Long</p>" * 1_000
    number, stopped = declare(checked(UpdateTrigger, {"id": 8, "is_active": False}), 1, stored(html))
    monkeypatch.setattr(converting, "__file__", "/nowhere/converting.py")

    assert is_quick(stopped)
    assert make(number, stopped).values()["text"] == ""


def test_a_text_that_is_taken_away_is_made_again() -> None:
    html = "<p>Long</p>" * 1_000
    key = Key(Kind.TRIGGER, 1, 8)
    kept = stored(html)
    texted = Stored(things={**kept.things, key: {**kept.things[key], "text": "Short"}})
    content = [{"subject": "Hi", "from_email": "demo@example.com", "html": html}]
    number, declared = declare(checked(UpdateTrigger, {"id": 8, "content": content}), 1, texted)

    assert not is_quick(declared)
    assert make(number, declared).values()["text"].split() == ["Long"] * 1_000


@pytest.mark.parametrize("html", OLD)
@pytest.mark.parametrize("key", ["subject", "html", "text"])
def test_no_other_message_is_kept_from_being_asked(html: str, key: str) -> None:
    content = {"subject": "Hi", "from_email": "demo@example.com", "html": "<p>Hi</p>", key: f"Hi {html}"}
    with pytest.raises(Refused):
        changed(html, content=[content])


@pytest.mark.parametrize("html", OLD)
def test_what_it_has_is_not_taken_for_another_part_of_it(html: str) -> None:
    with pytest.raises(Refused):
        changed(html, content=[{"subject": html, "from_email": "demo@example.com", "html": html}])


@pytest.mark.parametrize("html", OLD)
def test_nor_are_styles_written_into_it(html: str) -> None:
    with pytest.raises(Refused) as refused:
        changed(html, inline_css=True)

    assert "condition" in str(refused.value.debug)


@pytest.mark.promise("P-LAUNCH-51")
@pytest.mark.parametrize(("html", "sent"), SENT.items())
def test_it_goes_on_being_sent_as_it_was(html: str, sent: str) -> None:
    mail = compose(launch(lead=LEAD, html=html), NOW, DOMAIN)

    assert message_from_bytes(mail.content, policy=default).get_body(("html",)).get_content().rstrip() == sent  # type: ignore[union-attr]


@pytest.mark.promise("P-LAUNCH-51")
@pytest.mark.parametrize("text", ["{if\u00a0you have any question, write us}", "{if lead.plan==pro}Pro{else}Free{end}"])
def test_so_do_other_messages(text: str) -> None:
    sent = "Free" if "==" in text else text

    assert json.loads(compose_message(launch(lead=LEAD, channel="sms", text=text), NOW).body)["data"]["text"] == sent
    assert sent in compose_message(launch(lead=LEAD, channel="webhook", body=json.dumps([text])), NOW).body.decode()


@pytest.mark.promise("P-DOOR-38")
def test_a_preview_shows_it_as_it_is_sent() -> None:
    (branch,) = branches("html", "{if&nbsp;you may}{if lead.plan}a{else}b{end}", {"lead": LEAD, "subscription": {}, "apicontent": {}})

    assert (branch.written, branch.then, branch.otherwise) == ("{if lead.plan}", "a", "b")


def of_file(html: str, *, account: str = ACCOUNT, token: str = "", trigger: str = TRIGGER) -> str:
    return account + token + DATABASE + trigger.replace('"<p>Hello</p>"', json.dumps(html))


@pytest.mark.promise("P-APPLY-22")
@pytest.mark.parametrize("html", SENT)
def test_a_file_with_it_has_its_effect(html: str) -> None:
    token = 'tokens = [{ name = "leaked", revoked = true }]\n'
    things = desired.wanted(read(of_file(html, token=token), stored(html).things))

    assert things[Key(Kind.TOKEN, 1, "leaked")].values["revoked"]
    assert things[Key(Kind.TRIGGER, 1, 8)].values["html"] == html


@pytest.mark.promise("P-APPLY-22")
@pytest.mark.parametrize("html", SENT)
def test_so_has_one_whose_styles_were_written_into_it(html: str) -> None:
    written = f"<style>p {{ color: red }}</style>{html}"
    kept, trigger = stored(converting.inlined(written)).things, f"{TRIGGER}inline_css = true\n"
    things = desired.wanted(read(of_file(written, token='tokens = [{ name = "leaked", revoked = true }]\n', trigger=trigger), kept))

    assert things[Key(Kind.TOKEN, 1, "leaked")].values["revoked"]
    assert things[Key(Kind.TRIGGER, 1, 8)].values["html"] == kept[Key(Kind.TRIGGER, 1, 8)]["html"]


@pytest.mark.promise("P-APPLY-22")
@pytest.mark.parametrize("html", [OLD[0], "<style>p { color: blue }</style>" + OLD[0]])
def test_one_that_was_stored_with_other_styles_is_asked(html: str) -> None:
    kept = stored(converting.inlined("<style>p { color: red }</style>" + OLD[0])).things
    with pytest.raises(BadDeclaration, match=r"^accounts\[0\]\.triggers\[0\]\.html: line 1, column \d+: looks like a condition"):
        read(of_file(html, trigger=f"{TRIGGER}inline_css = true\n"), kept)


@pytest.mark.promise("P-APPLY-22")
@pytest.mark.parametrize("changed", [{"account": ACCOUNT.replace("id = 1", "id = 2")}, {"trigger": TRIGGER.replace("id = 8", "id = 9")}])
def test_what_another_trigger_has_is_asked_in_a_file(changed: dict[str, str]) -> None:
    with pytest.raises(BadDeclaration, match=r"^accounts\[0\]\.triggers\[0\]\.html: line 1, column 4: looks like a condition"):
        read(of_file(OLD[0], **changed), stored(OLD[0]).things)


@pytest.mark.promise("P-APPLY-22")
def test_all_else_of_it_is_asked_in_a_file() -> None:
    with pytest.raises(BadDeclaration, match=r"^accounts\[0\]\.triggers\[0\]\.id: Input should be a valid integer"):
        read(of_file(OLD[0], trigger=TRIGGER.replace("id = 8", 'id = "8"')), stored(OLD[0]).things)


@pytest.mark.promise("P-APPLY-22")
@pytest.mark.parametrize(("text", "accounts"), [
    (ACCOUNT + "x = 1", {1}),
    (ACCOUNT + ACCOUNT.replace("1", "2"), {1, 2}),
    ("accounts = 1", set()),
    ("", set()),
    (ACCOUNT.replace("1", "true"), set()),
    (ACCOUNT.replace("1", "9" * 30), set()),
])  # fmt: skip
def test_whose_a_bad_file_is_can_be_told(text: str, accounts: set[int]) -> None:
    assert accounts_of(text) == accounts
