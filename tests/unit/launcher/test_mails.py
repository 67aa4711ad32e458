"""A launch as a mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtplib.email import flatten_message
from hypothesis import given
from hypothesis import strategies as st

from tests.launching import attachment, launch
from workers.launcher.channel import Refused
from workers.launcher.email import compose
from workers.launcher.terms import Launch

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Whatever Postgres can hold.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def read(sent: Launch) -> EmailMessage:
    """The mail as its reader gets it."""
    arrived = message_from_bytes(flatten_message(compose(sent, NOW)[0]), policy=policy.SMTP)
    assert isinstance(arrived, EmailMessage)
    return arrived


def html(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.promise("P-LAUNCH-10")
def test_a_mail_has_rendered_subject_and_body() -> None:
    mail = read(launch(lead={"_fname": "Ann"}, subject="Hello {lead._fname}", html="<p>{apicontent.page}</p>", content={"page": "<form>"}))

    assert (mail["Subject"], html(mail).strip()) == ("Hello Ann", "<p>&lt;form&gt;</p>")


def test_a_mail_says_from_whom_to_whom_and_when() -> None:
    mail = read(launch("ann@example.com"))

    assert (mail["From"], mail["To"], mail["Date"]) == ("Demo <demo@example.com>", "ann@example.com", "Fri, 02 Jan 2026 03:04:05 +0000")


@pytest.mark.promise("P-LAUNCH-11")
def test_every_attempt_has_the_same_message_id() -> None:
    assert read(launch())["Message-ID"] == "<1a2b@example.com>"


@pytest.mark.promise("P-LAUNCH-10")
def test_attached_files_arrive_as_they_were() -> None:
    files = (attachment(), attachment("Bild ü.png", "image/png", bytes(range(256))), attachment("odd", "nonsense", b""))

    arrived = list(read(launch(attachments=files)).iter_attachments())

    assert [(part.get_filename(), part.get_payload(decode=True)) for part in arrived] == [(each.name, each.data) for each in files]


@pytest.mark.parametrize("mimetype", ["multipart/mixed", "message/rfc822", "nonsense", "", "text/", "te xt/x\r\ny"])
def test_an_odd_type_never_loses_the_file(mimetype: str) -> None:
    arrived = list(read(launch(attachments=(attachment(mimetype=mimetype),))).iter_attachments())

    assert [part.get_payload(decode=True) for part in arrived] == [b"HELLO\n"]


@pytest.mark.parametrize(
    "evil", ["Hi\r\nBcc: all@example.com", "Hi\nBcc: x", "Hi\rBcc: x", "Hi\u2028Bcc: x", "Hi\x85Bcc: x", "Hi\x0bBcc: x"]
)
def test_a_value_cannot_begin_another_header(evil: str) -> None:
    mail = read(launch(lead={"x": evil}, subject="{lead.x}", attachments=(attachment(evil),)))

    assert "Bcc" not in mail
    assert mail["Subject"].startswith("Hi Bcc: ")


def test_non_ascii_survives() -> None:
    mail = read(launch(lead={"x": "Grüße 你好 👋"}, subject="{lead.x}", html="<p>{lead.x}</p>", sender="Jürgen <j@example.com>"))

    assert (mail["Subject"], html(mail).strip(), mail["From"]) == ("Grüße 你好 👋", "<p>Grüße 你好 👋</p>", "Jürgen <j@example.com>")


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.parametrize(
    ("address", "sender"), [("no address", "a@b.c"), ("", "a@b.c"), ("a@b.c\r\nRCPT TO:<x@y.z>", "a@b.c"), ("a@b.c", ""), ("a@b.c", "Demo")]
)
def test_an_address_that_no_mail_can_carry_is_refused(address: str, sender: str) -> None:
    with pytest.raises(Refused):
        compose(launch(address, sender=sender), NOW)


@pytest.mark.promise("P-LAUNCH-13")
def test_unknown_variables_are_counted_in_subject_and_body() -> None:
    assert compose(launch(subject="{lead.a}", html="{lead.b}{apicontent.c}"), NOW)[1] == 3


@given(TEXT, TEXT)
def test_any_value_makes_a_mail(subject: str, body: str) -> None:
    mail = read(launch(lead={"subject": subject, "body": body}, subject="{lead.subject}", html="{lead.body}"))

    assert set(mail.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def test_a_subject_of_any_length_is_quick_and_short() -> None:
    mail = read(launch(lead={"x": "ü" * 200_000}, subject="{lead.x}"))

    assert len(mail["Subject"]) == 500


@given(st.text())
def test_any_address_is_a_mail_or_refused(address: str) -> None:
    try:
        mail = read(launch(address))
    except Refused:
        return

    assert len(mail.get_all("To", [])) == 1
