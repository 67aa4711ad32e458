"""A launch as a mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtplib.email import quote_address
from hypothesis import given
from hypothesis import strategies as st

from ingest.http.attachments import data_uri
from schemas import links
from tests import mails
from tests.launching import File, enclosed, launch
from workers.launcher.channels.channel import Rejected
from workers.launcher.channels.email.mail import compose
from workers.launcher.channels.links import Links
from workers.launcher.model import Launch, Recipient

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOMAIN = "mail.example"
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
# Whatever Postgres can hold.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def read(sent: Launch) -> mails.Part:
    """The mail as its reader gets it."""
    mail = compose(sent, NOW, DOMAIN)
    return mails.read(b"".join([mail.content, *mail.enclosed]))


@pytest.mark.promise("P-LAUNCH-10")
def test_a_mail_has_rendered_subject_and_body() -> None:
    mail = read(launch(lead={"_fname": "Ann"}, subject="Hello {lead._fname}", html="<p>{apicontent.page}</p>", content={"page": "<form>"}))

    assert (mail.text("Subject"), mail.html()) == ("Hello Ann", "<p>&lt;form&gt;</p>")


def test_a_mail_says_from_whom_to_whom_and_when() -> None:
    mail = read(launch("ann@example.com"))

    assert (mail.mailbox("From"), mail.raw("To"), mail.raw("Date")) == (
        ("Demo", "demo@example.com"),
        "ann@example.com",
        "Fri, 02 Jan 2026 03:04:05 +0000",
    )


@pytest.mark.promise("P-LAUNCH-11")
@pytest.mark.parametrize("sender", ["a@one.example", "b@two.example"])
def test_every_attempt_has_the_same_message_id_whoever_the_sender_is_by_then(sender: str) -> None:
    assert read(launch(sender=sender)).raw("Message-ID") == "<1a2b@mail.example>"


@pytest.mark.promise("P-LAUNCH-10")
def test_attached_files_arrive_as_they_were() -> None:
    files = (File(), File("Bild ü.png", "image/png", bytes(range(256))), File("odd", "text/plain", b""))

    arrived = read(launch(enclosed=enclosed(*files), html="<p>Hi</p>")).files()

    assert [(part.file_name(), part.raw("Content-Type"), part.data()) for part in arrived] == [
        (each.name, each.mimetype, each.data) for each in files
    ]


@pytest.mark.promise("P-LAUNCH-10")
@pytest.mark.parametrize(
    "mimetype",
    [
        *("multipart/mixed", "message/rfc822", "Multipart/Mixed", "MULTIPART/x", "Message/RFC822", "mESSAGE/global"),
        *("nonsense", "", "text/", "te xt/x\r\ny", "text/x; a=b"),
        *("text/" + "x" * 128, "x" * 128 + "/plain"),
    ],
)
def test_an_odd_type_never_loses_the_file(mimetype: str) -> None:
    (arrived,) = read(launch(enclosed=enclosed(File(mimetype=mimetype)))).files()

    assert (arrived.raw("Content-Type"), arrived.data()) == ("application/octet-stream", b"HELLO\n")


@pytest.mark.promise("P-LAUNCH-10")
@pytest.mark.parametrize("mimetype", ["Message/RFC822", "multipart/Mixed"])
def test_nor_does_that_of_a_data_uri(mimetype: str) -> None:
    named = data_uri(f"data:{mimetype};base64,SEVMTE8K").mimetype
    sent = compose(launch(enclosed=enclosed(File(mimetype=str(named)))), NOW, DOMAIN)
    mail = message_from_bytes(b"".join([sent.content, *sent.enclosed]), policy=policy.SMTP)
    assert isinstance(mail, EmailMessage)

    assert named == mimetype
    assert [(part.get_content_type(), part.get_content()) for part in mail.iter_attachments()] == [("application/octet-stream", b"HELLO\n")]


@pytest.mark.promise("P-LAUNCH-22")
@pytest.mark.parametrize("at", range(100))
def test_no_header_can_be_smuggled_in_by_what_stands_beside_it(at: int) -> None:
    """The one guard behind all others: what nobody thought of ends its launch."""
    smuggled = "x" * at + "\r\nBcc: all@example.com"

    with pytest.raises(Rejected):
        compose(launch(), NOW, smuggled)


@pytest.mark.promise("P-LAUNCH-48")
@pytest.mark.parametrize(("domain", "link"), [("почта.рф", None), (DOMAIN, "https://почта.рф/u/abc")])
def test_letters_beyond_ascii_are_in_no_header_but_in_addresses(domain: str, link: str | None) -> None:
    with pytest.raises(Rejected):
        compose(launch(), NOW, domain, link)

    assert "анна".encode() in compose(launch("анна@shop.test"), NOW, DOMAIN).content


@pytest.mark.promise("P-LAUNCH-48")
def test_no_header_line_is_longer_than_a_server_may_take() -> None:
    file = File("👋" * 255, "x" * 127 + "/" + "y" * 127)
    address = "a" * 64 + "@" + "b" * 63 + ".test"
    domain = ".".join(["d" * 63] * 4)[:253]
    long = launch(address, sender=f"{'ü' * 255} <{address}>", subject="é" * 10_000, enclosed=enclosed(file))
    sent = compose(long, NOW, domain, f"https://{domain}:65535/u/{'s' * 100}")

    assert max(map(len, b"".join([sent.content, *sent.enclosed]).split(b"\r\n"))) <= 998
    assert mails.read(b"".join([sent.content, *sent.enclosed])).files()[0].raw("Content-Type") == file.mimetype


def test_non_ascii_survives() -> None:
    mail = read(launch(lead={"x": "Grüße 你好 👋"}, subject="{lead.x}", html="<p>{lead.x}</p>", sender="Jürgen <j@example.com>"))

    assert (mail.text("Subject"), mail.html(), mail.mailbox("From")) == (
        "Grüße 你好 👋",
        "<p>Grüße 你好 👋</p>",
        ("Jürgen", "j@example.com"),
    )


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("no address", "a@b.c"),
        ("", "a@b.c"),
        ("a@b.c\r\nRCPT TO:<x@y.z>", "a@b.c"),
        ("=?utf-8?q?ceo=40other.example=2c?=@b.c", "a@b.c"),
        ("a@b.c", ""),
        ("a@b.c", "Demo"),
        ("a@b.c", "Demo <a@b.c"),
        ("a@b.c", "<<a@b.c>>"),
    ],
)
def test_an_address_that_no_mail_can_carry_is_refused(address: str, sender: str) -> None:
    with pytest.raises(Rejected, match="address cannot be used"):
        compose(launch(address, sender=sender), NOW, DOMAIN)


@pytest.mark.promise("P-LAUNCH-13")
def test_unknown_variables_are_counted_in_subject_and_body() -> None:
    assert compose(launch(subject="{lead.a}", html="{lead.b}{apicontent.c}"), NOW, DOMAIN).unknown == 3


@given(TEXT)
def test_any_body_arrives(body: str) -> None:
    mail = read(launch(lead={"body": body}, html="{apicontent.x}<p>{lead.body}</p>", content={"x": "."}))

    assert mail.html() == ".<p>" + escaped(body).replace("\r\n", "\n").replace("\r", "\n") + "</p>"


def escaped(text: str) -> str:
    for letter, spelled in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(letter, spelled)
    return text


@pytest.mark.parametrize("where", [{"subject": "{lead.x}"}, {"html": "{lead.x}"}])
def test_half_a_character_ends_its_launch(where: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="text that cannot be sent"):
        compose(launch(lead={"x": "\ud800"}, **where), NOW, DOMAIN)


@pytest.mark.promise("P-LAUNCH-23")
@pytest.mark.parametrize(
    "where", [{"html": "{lead.x}" * 100}, {"html": "x" * 5_000_000}, {"subject": "{lead.x}" * 100}, {"subject": "{lead.x}"}]
)
def test_a_mail_that_would_be_huge_ends_its_launch(where: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="more than"):
        compose(launch(lead={"x": "ü" * 200_000}, **where), NOW, DOMAIN)


@given(st.text() | st.from_regex(r"[!-~é]{1,9}@[!-~]{1,9}", fullmatch=True))
def test_any_address_travels_as_it_is_or_is_refused(address: str) -> None:
    try:
        mail = read(launch(address))
    except Rejected:
        return

    assert (mail.names(), mail.raw("To"), quote_address(address)) == (NAMES, address, f"<{address}>")


@pytest.mark.promise("P-LAUNCH-40")
def test_a_plain_part_stands_before_the_html_also_beside_files() -> None:
    for files in ((), enclosed(File())):
        sent = compose(launch(lead={"n": "Ann & Bob"}, text="Hi {lead.n}", html="<p>{lead.n}</p>", enclosed=files), NOW, DOMAIN)
        mail = message_from_bytes(b"".join([sent.content, *sent.enclosed]), policy=policy.SMTP)
        assert isinstance(mail, EmailMessage)
        plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert html is not None
        assert (plain.get_content(), html.get_content()) == ("Hi Ann & Bob\r\n", "<p>Ann &amp; Bob</p>\r\n")
        assert [part.get_filename() for part in mail.iter_attachments()] == (["Attach.txt"] if files else [])


@pytest.mark.promise("P-UNSUB-03")
def test_a_mail_says_where_its_reader_unsubscribes() -> None:
    sent = compose(launch(html="<a href='{unsubscribe}'>x</a>{lead.none}"), NOW, DOMAIN, "https://mail.example/u/abc_-")
    mail = mails.read(sent.content)

    assert (mail.raw("List-Unsubscribe"), mail.raw("List-Unsubscribe-Post")) == (
        "<https://mail.example/u/abc_->",
        "List-Unsubscribe=One-Click",
    )
    assert mail.html() == "<a href='https://mail.example/u/abc_-'>x</a>"
    assert sent.unknown == 1


@pytest.mark.promise("P-UNSUB-03")
def test_one_click_is_not_offered_without_encryption() -> None:
    mail = mails.read(compose(launch(), NOW, DOMAIN, "http://mail.example/u/abc").content)

    assert mail.raw("List-Unsubscribe") == "<http://mail.example/u/abc>"
    assert "List-Unsubscribe-Post" not in mail.names()


@pytest.mark.promise("P-UNSUB-03")
def test_without_a_link_there_is_no_such_header_and_the_word_is_empty() -> None:
    sent = compose(launch(html="[{unsubscribe}]"), NOW, DOMAIN)

    assert b"List-Unsubscribe" not in sent.content
    assert mails.read(sent.content).html() == "[]"
    assert sent.unknown == 1


@pytest.mark.promise("P-UNSUB-03")
def test_only_what_goes_to_a_subscription_has_a_link() -> None:
    made = Links("https://mail.example", ["k" * 40])
    subscribed = launch(resource=24)._replace(recipient=Recipient("a@shop.test", {"resource_id": 24}))

    assert [made.of(each) is None for each in (subscribed, launch(resource=24), launch())] == [False, True, True]
    assert Links().of(subscribed) is None


@pytest.mark.promise("P-UNSUB-01")
def test_the_link_of_a_launch_means_the_address_that_it_went_to() -> None:
    keys = ["k" * 40, "o" * 40]
    made = Links("https://mail.example", keys).of(launch(resource=24)._replace(recipient=Recipient("a@shop.test", {"resource_id": 24})))
    assert made is not None
    meant = links.read(keys[:1], made.rpartition("/")[2], datetime.now(UTC))

    assert meant is not None
    assert [links.means(keys[:1], meant, address) for address in ("a@shop.test", "b@shop.test")] == [True, False]
