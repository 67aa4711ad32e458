"""Names, senders and subjects in any language: what is taken for one line of text, and what becomes of it."""

import unicodedata
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from profuse.applying import BadDeclaration
from profuse.applying.file import read
from profuse.commands.tables import show
from profuse.dead_letters.showing import content
from schemas.lines import is_line, is_unbroken
from tests.launching import launch
from tests.unit.test_files_for_apply import ACCOUNT, DATABASE, HOOK, PROVIDER, TRIGGER
from workers.launcher.channels.email.mail import compose

LINES = {
    "no-break space": "10\u00a0% off",
    "narrow no-break space": "1\u202f000\u00a0€",
    "ideographic space": "全角\u3000空白",
    "Persian": "می\u200cرسم",
    "Hindi": "क्\u200dष",
    "family": "👩\u200d👩\u200d👧",
    "right to left": "\u200fערב",
    "isolated": "\u2068ערב\u2069 Shop",
    "flag of Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "soft hyphen": "Donau\u00addampfschiff",
    "unassigned": "\U0001fffd new",
}
BROKEN = ["a\nb", "a\rb", "a\x1bb", "a\x85b", "a\u2028b", "a\u2029b", "a\0b", "", " ", "\u00a0\u3000", "\u200b", "\u200e\u200f"]
PUSH = '[[accounts.triggers]]\nid = 8\nname = "W"\ntype = "api_call"\ndatabase = 1\nchannel = "push"\ntext = "x"\n'


def escaped(text: str) -> str:
    return "".join(f"\\U{ord(letter):08x}" for letter in text)


@pytest.mark.promise("P-APPLY-07")
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_of_any_language_is_one(line: str) -> None:
    trigger = TRIGGER.replace("Hello", line, 1).replace("Demo", line).replace('"W"', f'"{line}"')
    database = DATABASE.replace('"C"', f'"{line}"') + f'fields = {{ "{line}" = "string" }}\n'
    account = read(ACCOUNT.replace("demo", line) + f'tokens = [{{ name = "{line}" }}]\n' + database + trigger).accounts[0]
    (made,) = account.triggers

    assert (account.name, account.tokens[0].name, account.databases[0].name, *account.databases[0].fields) == (line,) * 4
    assert (made.name, made.subject, made.sender) == (line, line, f"{line} <demo@example.com>")


def test_some_of_them_are_of_no_unicode_that_is_known() -> None:
    assert unicodedata.category(LINES["unassigned"][0]) == "Cn"


@pytest.mark.promise("P-APPLY-07")
@pytest.mark.parametrize("broken", BROKEN, ids=ascii)
def test_what_ends_a_line_or_shows_nothing_is_none(broken: str) -> None:
    for text, place in (
        (ACCOUNT.replace("demo", escaped(broken)), ""),
        (ACCOUNT + PROVIDER.replace("main", escaped(broken)), ".providers[0]"),
    ):
        with pytest.raises(BadDeclaration) as refused:
            read(text)

        assert str(refused.value) == f"accounts[0]{place}.name: must be one line of text"


def test_half_a_character_is_in_no_line() -> None:
    assert not is_line("a\ud800")
    assert not is_unbroken("\udfff")


@pytest.mark.promise("P-APPLY-07")
@pytest.mark.parametrize("unseen", ["\u00a0", "\u200c", "\u3000", "\u202e"], ids=ascii)
def test_an_address_is_of_what_is_seen(unseen: str) -> None:
    linked = PUSH + f'link = "https://shop.test/{unseen}{{if lead.x}}a{{end}}"'
    branch = PUSH + f'link = "https://shop.test/{{if lead.x}}a{unseen}{{end}}"'
    called = [HOOK.replace("crm.test/", f"crm.test/{unseen}"), PROVIDER.replace("/send", f"/{unseen}send")]

    for text, why in [(linked, "not seen"), (branch, "not seen"), *((each, "must be an address like") for each in called)]:
        with pytest.raises(BadDeclaration, match=why):
            read(ACCOUNT + text)


@pytest.mark.promise("P-APPLY-07")
def test_what_the_condition_of_a_link_asks_for_is_any_text() -> None:
    link = "https://shop.test/{if lead.city equal 'می\u200cرسم'}a{else}b{end}?n={lead.n}"

    assert read(ACCOUNT + PUSH + f'link = "{link}"').accounts[0].triggers[0].link == link


@pytest.mark.promise("P-LAUNCH-21")
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_python_reads_such_a_line_in_the_headers_of_a_mail(line: str) -> None:
    sent = launch(subject=line, sender=f"{line} <demo@example.com>")
    mail = message_from_bytes(compose(sent, datetime.now(UTC), "mail.example").content, policy=policy.default)
    (sender,) = mail["From"].addresses

    assert (mail["Subject"], sender.display_name, sender.addr_spec) == (line, line, "demo@example.com")
    assert not [*mail.defects, *mail["Subject"].defects, *mail["From"].defects]


def test_a_table_has_such_lines_as_they_are_but_none_that_turns_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    show(("name", "is"), [(line, "as it is") for line in LINES.values()] + [("\u202egnp.exe", "turned")])
    *rows, turned = capsys.readouterr().out.splitlines()[1:]

    expected = [line.replace("\u2068", "\\u2068").replace("\u2069", "\\u2069") for line in LINES.values()]
    assert [row.removesuffix("as it is").rstrip() for row in rows] == expected
    assert turned.startswith("\\u202egnp.exe ")


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_dead_letter_in_any_language_is_shown_as_text(line: str) -> None:
    assert content(line.encode()) == line
    assert content(f"{line}\n".encode()) == {"hex": f"{line}\n".encode().hex()}
