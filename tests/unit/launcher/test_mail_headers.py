"""What readers of mail show of any text that meets a header."""

import re
from datetime import UTC, datetime
from encodings.aliases import aliases

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import mails
from tests.launching import File, enclosed, launch
from workers.launcher.channels.email.mail import compose

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
FILE = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]

CODECS = sorted(
    {*aliases, *aliases.values(), "utf-8", "utf-7", "unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "oem"}
)
# What a header parser would decode, into whatever ends a header or cannot be written.
PAYLOADS = ["=0D=0ABcc:_x@other.example", "+2AA-", "=5CuD800", "=C3=28", "a=40b=2C", "", "DQpCY2M6IHg=", "=0D=0A=0D=0A<b>", "=00"]
SCRIPTS = [
    "Анна, ваш заказ №",
    "Καλημέρα κόσμε",
    "你好世界",
    "👩‍👩‍👧 👋🏽",
    "שלום עולם",
    "e\u0301a\u0308\u0323",
    "مرحبا",
    "\u202eright",
    'Jürgen "J" O\'Neil\\',
]

word = st.builds("=?{}?{}?{}?=".format, st.sampled_from(CODECS), st.sampled_from("bBqQ"), st.sampled_from(PAYLOADS))
blanks = st.sampled_from(["", " ", "  ", " " * 80, "\t", "\u00a0", "\u3000"])
piece = word | blanks | st.sampled_from(SCRIPTS) | st.text(st.characters(exclude_categories=["Cs"]))
anything = st.lists(piece, max_size=8).map("".join)


def shown(text: str) -> str:
    """What must be read: a run of controls, and of what ends lines, is one blank."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)


def subject_of(text: str) -> str:
    mail = mails.read(compose(launch(lead={"x": text}, subject="{lead.x}"), NOW, "mail.example").content)
    assert mail.names() == [*NAMES, "Content-Transfer-Encoding"]
    return mail.text("Subject")


def sender_of(name: str) -> tuple[str, str]:
    mail = mails.read(compose(launch(sender=f"{name} <demo@example.com>"), NOW, "mail.example").content)
    assert mail.names() == [*NAMES, "Content-Transfer-Encoding"]
    return mail.mailbox("From")


def file_of(name: str) -> str | None:
    sent = compose(launch(enclosed=enclosed(File(name))), NOW, "mail.example")
    mail = mails.read(b"".join([sent.content, *sent.enclosed]))
    (file,) = mail.files()
    assert (mail.names(), file.names(), file.data()) == (NAMES, FILE, b"HELLO\n")
    return file.file_name()


@pytest.mark.promise("P-LAUNCH-21")
@given(anything)
@example("Анна, ваш заказ №12345 оплачен — спасибо!")
@example("Екатерина, скидка 50% только до 10 июля: успейте купить!")
@example("=?utf-7?q?+2AA-?=")
@example("=?unicode_escape?q?=5CuD800?=")
@example("=?utf-8?q?Hi=0D=0ABcc:_x@other.example?=")
def test_a_subject_reads_blank_for_blank(text: str) -> None:
    assert subject_of(text) == shown(text)


@pytest.mark.promise("P-LAUNCH-21")
@given(anything.map(lambda text: re.sub(r"[<>]", "", text)))
@example('"Demo, \\"Inc.\\""')
@example("Demo, Inc.")
def test_a_senders_name_reads_blank_for_blank(name: str) -> None:
    expected = shown(name).strip()
    if quoted := re.fullmatch(r'"((?:[^"\\]|\\.)*)"', expected):
        expected = re.sub(r"\\(.)", r"\1", quoted[1])

    assert sender_of(name) == (expected, "demo@example.com")


@pytest.mark.promise("P-LAUNCH-21")
@given(anything.filter(bool))
@example("=?unicode_escape?q?=5CuD800?=")
@example("a" * 255)
@example("👋" * 255)
@example('a"b\\c; filename=x')
@example("100%'s.txt")
def test_a_file_name_reads_blank_for_blank(name: str) -> None:
    assert file_of(name) == shown(name)


@pytest.mark.promise("P-LAUNCH-21")
@pytest.mark.parametrize("letter", ["a", "ü", "你", "👋", "a ", "ü ", "  x", "你a", "\\"])
def test_every_length_around_the_fold_reads_blank_for_blank(letter: str) -> None:
    texts = [(letter * 200)[:length] for length in range(1, 200)]

    assert [subject_of(text) for text in texts] == texts
    assert [sender_of(text)[0] for text in texts] == [text.strip() for text in texts]
    assert [file_of(text) for text in texts] == texts


@pytest.mark.promise("P-LAUNCH-22")
@pytest.mark.parametrize("codec", CODECS)
def test_no_codec_begins_another_header(codec: str) -> None:
    for payload in PAYLOADS:
        for encoding in "qb":
            evil = f"=?{codec}?{encoding}?{payload}?="

            assert (subject_of(evil), sender_of(evil.replace("<b>", ""))[0], file_of(evil)) == (evil, evil.replace("<b>", ""), evil)


@pytest.mark.promise("P-LAUNCH-22")
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\0", "\r\n\r\n"])
def test_a_value_cannot_begin_another_header(end: str) -> None:
    evil = f"Hi{end}Bcc: x@example.com"

    assert {subject_of(evil), sender_of(evil)[0], file_of(evil)} == {"Hi Bcc: x@example.com"}


def test_what_needs_no_encoding_stays_legible() -> None:
    sent = launch(sender="Demo Shop <demo@example.com>", subject="Your order " * 12 + "is paid", enclosed=enclosed(File()))
    mail = compose(sent, NOW, "mail.example")

    assert b"From: Demo Shop <demo@example.com>\r\n" in mail.content
    assert b"=?" not in mail.content
    assert b'Content-Disposition: attachment; filename="Attach.txt"\r\n' in mail.enclosed[0]
