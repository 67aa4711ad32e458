"""What a file for `apply` may say, by the answer to what it may not."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profuse.applying import BadDeclaration
from profuse.applying.desired import wanted
from profuse.applying.file import read
from profuse.commands.configuration import text_of
from store.configuration import converting, messaging
from store.configuration.model import Key, Kind

ACCOUNT = '[[accounts]]\nid = 1\nname = "demo"\n'
TRIGGER = (
    '[[accounts.triggers]]\nid = 8\nname = "W"\ntype = "api_call"\ndatabase = 1\nchannel = "email"\n'
    'sender = "Demo <demo@example.com>"\nsubject = "Hello"\nhtml = "<p>Hello</p>"\n'
)
SECRET = "whsec_" + b64encode(bytes(32)).decode()
PROVIDER = f'[[accounts.providers]]\nname = "main"\nchannel = "sms"\nurl = "https://sms.test/send"\nsecrets = ["{SECRET}"]\n'
HOOK = f'[[accounts.hooks]]\nname = "main"\nurl = "https://crm.test/"\nsecrets = ["{SECRET}"]\n'
DATABASE = '[[accounts.databases]]\nid = 1\nname = "C"\n'


@pytest.mark.promise("P-APPLY-07")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[accounts]]\nid = \n", "Invalid value (at line 2, column 6)"),
        ("x = " + "9" * 5_000, "a number has more digits than can be read"),
        ("x = " + "[" * 3_000, "nested too deeply"),
        ("x = 1", "x: unknown key"),
        ('[[accounts]]\nname = "demo"', "accounts[0].id: Field required"),
        ('[[accounts]]\nid = true\nname = "demo"', "accounts[0].id: Input should be a valid integer"),
        ('[[accounts]]\nid = 1\nname = "a\\nb"', "accounts[0].name: must be one line of text"),
        (
            ACCOUNT + 'tokens = [{ name = "a", rights = ["fly"] }]',
            "accounts[0].tokens[0].rights[0]: Input should be 'import', 'launch', 'read', 'erase' or 'configure'",
        ),
        (ACCOUNT + 'tokens = [{ name = "a", value = "a b" }]', "accounts[0].tokens[0].value: must be 1 to 256 visible ASCII characters"),
        (
            ACCOUNT + 'tokens = [{ name = "a", expires = 2027-01-01T00:00:00 }]',
            "accounts[0].tokens[0].expires: Input should have timezone info",
        ),
        *(
            (ACCOUNT + f'tokens = [{{ name = "a", expires = {moment} }}]', "accounts[0].tokens[0].expires: must be in the years 1 to 9999")
            for moment in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+23:59", '"0001-01-01T00:00:00+23:59"')
        ),
        (ACCOUNT + f'tokens = [{{ name = "{"a" * 256}" }}]', "accounts[0].tokens[0].name: String should have at most 255"),
        (ACCOUNT + PROVIDER.replace("main", "a" * 256), "accounts[0].providers[0].name: String should have at most 255"),
        (ACCOUNT + HOOK.replace("main", "a" * 256), "accounts[0].hooks[0].name: String should have at most 255"),
        (ACCOUNT + HOOK + 'success = "a\\u0000"', "accounts[0].hooks[0].success: holds a NUL, which cannot be stored"),
        (
            ACCOUNT + 'tokens = [{ name = "a", in_flight = 0 }]',
            "accounts[0].tokens[0].in_flight: Input should be greater than or equal to 1",
        ),
        (ACCOUNT + 'tokens = [{ name = "a", in_flight = true }]', "accounts[0].tokens[0].in_flight: Input should be a valid integer"),
        (ACCOUNT + DATABASE + 'fields = { a = "strin" }', "accounts[0].databases[0].fields.a.type: Input should be 'int'"),
        (
            ACCOUNT + DATABASE + 'fields = { a = { type = "float", match = true } }',
            "accounts[0].databases[0].fields.a: a field of type float",
        ),
        (
            ACCOUNT + DATABASE + 'fields = { a = { type = "enum", options = ["x", "y\\u0000"] } }',
            "accounts[0].databases[0].fields.a: an option holds a NUL",
        ),
        (ACCOUNT + DATABASE + 'fields = { email = "string" }', "accounts[0].databases[0].fields.email: is a system field"),
        (ACCOUNT + DATABASE + 'fields = { _x = "string" }', "accounts[0].databases[0].fields._x: is a system field"),
        (ACCOUNT + TRIGGER.replace("Demo <demo@example.com>", "Demo"), "accounts[0].triggers[0].sender: must be an address"),
        (ACCOUNT + TRIGGER.replace("demo@example.com", "=?utf-8?q?a?=@example.com"), "accounts[0].triggers[0].sender: "),
        (ACCOUNT + TRIGGER.replace("Hello", "a\\nBcc: b", 1), "accounts[0].triggers[0].subject: must be one line of text"),
        (ACCOUNT + TRIGGER.replace("<p>Hello", "\\u0000"), "accounts[0].triggers[0].html: holds a NUL"),
        (ACCOUNT + TRIGGER.replace('"email"', '"fax"'), "accounts[0].triggers[0].channel: must be one of email, sms, push, webhook"),
        (ACCOUNT + TRIGGER + "provider = []", "accounts[0].triggers[0].provider: List should have at least 1 item"),
        (ACCOUNT + TRIGGER + "pace = 0", "accounts[0].triggers[0].pace: Input should be greater than or equal to 1"),
        (ACCOUNT + TRIGGER + "body = '{'", "accounts[0].triggers[0].body: line 1, column 2: is no JSON"),
        (ACCOUNT + TRIGGER + """body = '{"a": [1e400]}'""", "accounts[0].triggers[0].body: .a[0] is a number that is too large"),
        (ACCOUNT + TRIGGER + """body = '{"a": "\\ud800"}'""", "accounts[0].triggers[0].body: .a has half a character"),
        (
            ACCOUNT + TRIGGER.replace("<p>Hello</p>", "<table>{if lead.a equal 1}<tr><td>x</td></tr>{end}</table>") + "inline_css = true",
            "accounts[0].triggers[0].html: its styles cannot be written into its elements",
        ),
        *(
            (ACCOUNT + PROVIDER.replace("https://sms.test/send", url), "accounts[0].providers[0].url: must be an address like")
            for url in ("sms.test", "ftp://sms.test/", "https://", "https://[", "https://sms.test:99999/", "https://sms test/")
        ),
        (ACCOUNT + PROVIDER.replace(SECRET, "hunter2"), "accounts[0].providers[0].secrets[0]: must be whsec_ and the base64"),
        (ACCOUNT + PROVIDER + "rate = 0", "accounts[0].providers[0].rate: Input should be greater than or equal to 1"),
        (ACCOUNT + PROVIDER + "timeout = 3600", "accounts[0].providers[0].timeout: Input should be less than or equal to 120"),
        (ACCOUNT + TRIGGER + "skip_minutes = -1", "accounts[0].triggers[0].skip_minutes: Input should be greater than or equal to 0"),
    ],
)
def test_a_bad_file_is_refused_by_line_or_path_and_reason(text: str, problem: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        read(text)

    assert str(refused.value).startswith(problem)


@pytest.mark.promise("P-APPLY-07")
def test_names_may_be_as_long_as_an_index_holds_and_moments_as_late_as_can_be_stored() -> None:
    token = f'tokens = [{{ name = "{"é" * 255}", expires = "9999-12-31T23:59:59+12:00" }}]'

    assert read(ACCOUNT + token).accounts[0].tokens[0].expires == datetime(9999, 12, 31, 11, 59, 59, tzinfo=UTC)


RESOURCE = """
[[accounts.databases]]
id = 1
name = "Customers"
[[accounts.resources]]
id = 30
name = "Our app"
database = 1
channel = "our_app"
"""


@pytest.mark.promise("P-APPLY-07")
def test_a_mark_at_the_beginning_is_no_part_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text("\ufeff" + ACCOUNT, encoding="utf-8")

    assert text_of(tmp_path / "demo.toml") == ACCOUNT


@pytest.mark.promise("P-SUBS-13")
@pytest.mark.parametrize("known", ["telegram_bot", "whatsapp", "viber", "notify", "our_app"])
def test_a_resource_may_be_of_any_channel_that_has_subscriptions_and_of_those_that_the_account_lists(known: str) -> None:
    things = wanted(read(ACCOUNT + 'channels = ["our_app"]' + RESOURCE.replace("our_app", known)))

    assert things[Key(Kind.RESOURCE, 1, 30)].values["channel"] == known


@pytest.mark.promise("P-SUBS-13", "P-APPLY-07")
@pytest.mark.parametrize("unknown", ["our_app", "emial", "webhook", "Our_App"])
def test_a_channel_that_is_not_listed_is_a_typo(unknown: str) -> None:
    with pytest.raises(
        BadDeclaration, match=r"^accounts\[0\]\.resources\[0\]\.channel: must be one of email, sms, .*other_app, or an own one"
    ):
        wanted(read(ACCOUNT + 'channels = ["other_app"]' + RESOURCE.replace("our_app", unknown)))


@pytest.mark.promise("P-SUBS-13")
@pytest.mark.parametrize(
    ("name", "why"), [("email", "is known already"), ("Our App", "must be small letters"), ("", "must be small letters")]
)
def test_an_own_channel_has_a_name_of_its_own(name: str, why: str) -> None:
    with pytest.raises(BadDeclaration, match=rf"accounts\[0\]\.channels\[0\]: {why}"):
        read(ACCOUNT + f'channels = ["{name}"]')


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadDeclaration) as refused:
        read('x = 1\n[[accounts]]\nid = 0\nname = ""\n')

    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.promise("P-APPLY-13")
@pytest.mark.parametrize(
    ("sender", "stored"),
    [
        ("Shop <hallo@bücher.example>", "Shop <hallo@xn--bcher-kva.example>"),
        ('"Bücher, GmbH" <Hallo@Bücher.example>', '"Bücher, GmbH" <Hallo@xn--bcher-kva.example>'),
        ('"Demo" <demo@example.com>', "Demo <demo@example.com>"),
        ("Demo  < demo@example.com >", "Demo <demo@example.com>"),
        ("a@b.example", "a@b.example"),
        ("a@b.example <a@b.example>", "a@b.example <a@b.example>"),
    ],
)
def test_a_sender_is_stored_as_mails_can_carry_it(sender: str, stored: str) -> None:
    file = read(ACCOUNT + TRIGGER.replace('"Demo <demo@example.com>"', f"'{sender}'"))

    assert file.accounts[0].triggers[0].sender == stored
    assert read(ACCOUNT + TRIGGER.replace('"Demo <demo@example.com>"', f"'{stored}'")) == file


@pytest.mark.promise("P-LAUNCH-19")
def test_a_template_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(BadDeclaration) as refused:
        read(ACCOUNT + TRIGGER.replace("<p>Hello", "<p>\\n {if lead.x}"))

    assert str(refused.value).endswith("accounts[0].triggers[0].html: line 2, column 2: the condition has no {end}")


@pytest.mark.promise("P-APPLY-10")
@pytest.mark.parametrize("html", ["p { color: red }", "{else}", "if (a) {b}", "{if (a) b(); }", "{lead.if x}", "{if}", "{unsubscribe_me}"])
def test_what_is_no_template_may_be_in_braces(html: str) -> None:
    assert read(ACCOUNT + TRIGGER.replace("<p>Hello", html))


@pytest.mark.promise("P-LAUNCH-40")
def test_a_mail_s_plain_part_is_made_of_its_html_where_the_file_gives_none() -> None:
    html = "<h1>Hi {lead.name}</h1>{if lead.vip equal 1}<p>VIP &amp; more</p>{end}"
    key = Key(Kind.TRIGGER, 1, 8)

    made = wanted(read(ACCOUNT + TRIGGER.replace("<p>Hello</p>", html)))[key].values["text"]
    given = wanted(read(ACCOUNT + TRIGGER.replace("<p>Hello</p>", html) + 'text = "Hi"'))[key].values["text"]

    lines = [line.strip() for line in made.splitlines() if line.strip()]
    assert lines == ["Hi {lead.name}", "{if lead.vip equal 1}", "VIP & more", "{end}"]
    assert given == "Hi"


def test_a_style_that_lies_elsewhere_is_neither_read_nor_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret.css").write_text("p { color: red }")
    html = f'<html><head><link rel="stylesheet" href="file://{tmp_path}/secret.css"></head><body><p>x</p></body></html>'

    assert converting.inlined(html) == html


@pytest.mark.parametrize(
    "html", ["<p " + " ".join(f"a{number}=1" for number in range(50_000)) + ">", "<div>" * 50_000], ids=["wide", "deep"]
)
def test_html_that_is_too_complicated_costs_nobody_else_time(monkeypatch: pytest.MonkeyPatch, html: str) -> None:
    monkeypatch.setattr(converting, "_SECONDS", 1)
    if html.startswith("<p"):
        assert messaging.plain(html) == ""
    else:
        with pytest.raises(ValueError, match="is too complicated"):
            messaging.inlined(f"<style>div div p {{color: red}}</style>{html}" + "<p>x" * 50_000)


def test_a_long_text_is_converted_in_whatever_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)

    assert messaging.plain("<p>Hello</p>" * 5_000).split() == ["Hello"] * 5_000


def test_a_conversion_that_breaks_is_told_and_not_taken_for_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "__file__", "/nowhere/converting.py")
    with pytest.raises(RuntimeError, match="nowhere"):
        converting.text("<p>Bye</p>" * 5_000)


@pytest.mark.parametrize("html", ["<style>" * 200_000, "<!--<style " * 200_000, "<style></style" * 100_000, "</style>" * 200_000])
def test_styles_without_an_end_are_looked_for_once(html: str) -> None:
    assert messaging._unstyled(html) == html


@given(st.lists(st.sampled_from(["<style", ">", "</style", "</STYLE >", " ", "x", "<p>"]), max_size=12).map("".join))
def test_what_stands_in_a_style_is_read_by_nobody(html: str) -> None:
    assert messaging._unstyled(html) == re.sub(r"<style\b.*?</style\s*>", "", html, flags=re.DOTALL | re.IGNORECASE)


def test_styles_are_written_into_elements_where_that_is_wanted() -> None:
    html = "<style>p { color: red }</style><p>Hi {lead.name}</p>"
    values = wanted(read(ACCOUNT + TRIGGER.replace("<p>Hello</p>", html) + "inline_css = true"))[Key(Kind.TRIGGER, 1, 8)].values

    assert "color: red" in values["html"].partition("<p")[2]
    assert "Hi {lead.name}" in values["html"]
