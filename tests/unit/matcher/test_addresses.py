"""How e-mails and phones are checked and spelled."""

import unicodedata
from typing import Any

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import mailboxes
from schemas.addresses import _ascii_domain, normal_email, normal_phone
from schemas.item_errors import ItemFailed

LABELS = st.text("aZ0-nx", min_size=1, max_size=5)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
LOCALS = st.text("aZ9._+-'\"@ éKİ", max_size=8)


@pytest.mark.promise("P-DATA-13", "P-MATCH-12")
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com\n", "ada@example.com"),
        ("user@shop.test", "user@shop.test"),
        ("user@printer.local", "user@printer.local"),
        ("a.b+c_d-e@x.io", "a.b+c_d-e@x.io"),
        ("o'hara@example.com", "o'hara@example.com"),
        ("e\u0301va@example.com", "\u00e9va@example.com"),
        ("ada@B\u00dccher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_email_is_stored_in_one_spelling(given: str, stored: str) -> None:
    assert normal_email(given) == stored


@pytest.mark.promise("P-DATA-13")
@pytest.mark.parametrize(
    "given",
    [
        None,
        7,
        True,
        [],
        "",
        " ",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "a b@example.com",
        "ada@example",
        "ada@example.1",
        "a..b@example.com",
        ".a@example.com",
        "ada@-x.com",
        "ada@x-.com",
        "ada@example..com",
        "Ada <ada@example.com>",
        '"a b"@example.com',
        "ada@[127.0.0.1]",
        "a\0@example.com",
        "\ud800@example.com",
        "a" * 65 + "@x.io",
        "\u00e9" * 65 + "@x.io",
        "a@" + ".".join(["x" * 60] * 4) + ".example.com",
        "\u0130" * 33 + "@x.io",
        "=?utf-8?q?ceo=40other.example=2c?=@example.com",
        "a=?b@example.com",
        "a@" + "x" * 64 + ".com",
        "a@xn--zz.com",
    ],
)
def test_what_is_no_email_is_refused(given: Any) -> None:
    with pytest.raises(ItemFailed, match="Incorrect email"):
        normal_email(given)


@pytest.mark.promise("P-DATA-13")
@settings(max_examples=500, deadline=None)
@given(st.one_of(st.emails(), st.tuples(LOCALS, DOMAINS).map("@".join)))
@example("\u212a@example.com")
@example("a@ex--ample.com")
@example("a@" + "x" * 63 + ".com")
@example("a" * 64 + "@example.com")
@example("a" * 65 + "@example.com")
@example("a@b@example.com")
@example("Ada <ada@example.com>")
@example('"a@b"@example.com')
@example('"ab"@example.com')
@example("a@b <c@example.com")
@example("a=?b@example.com")
@example("\u0130" * 33 + "@x.io")
@example("a@\u00fc.example")
@example("a@" + ".".join(["\u00fc" * 20] * 10) + ".example")
def test_the_fast_path_agrees_with_the_validator(address: str) -> None:
    assert _spelled(address) == _validated(address)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.emails(), st.tuples(LOCALS, DOMAINS).map("@".join)))
def test_a_stored_email_is_its_own_spelling(address: str) -> None:
    stored = _spelled(address)

    assert stored is None or _spelled(stored) == stored


def _spelled(address: str) -> str | None:
    try:
        return normal_email(address)
    except ItemFailed:
        return None


def _validated(address: str) -> str | None:
    try:
        valid = email_validator.validate_email(address.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    local = unicodedata.normalize("NFC", valid.local_part.lower())
    is_short = len(valid.original.rpartition("@")[0]) <= 64 and len(local) <= 64
    return f"{local}@{valid.ascii_domain}" if is_short and "=?" not in local and len(f"{local}@{valid.ascii_domain}") <= 254 else None


@pytest.mark.promise("P-DATA-13", "P-DATA-26")
@pytest.mark.timeout(10)
def test_the_length_of_an_email_is_looked_at_before_anything_else() -> None:
    for local in ("e" + "\u0301\u0327" * 60_000, "a" * 10**7, '"' * 10**6):
        with pytest.raises(ItemFailed, match="Incorrect email"):
            normal_email(f"{local}@example.com")


@pytest.mark.promise("P-DATA-13")
def test_a_domain_beyond_ascii_is_worked_out_once() -> None:
    before = _ascii_domain.cache_info()
    for number in range(100):
        normal_email(f"ada{number}@b\u00fccher-nur-hier.example")

    after = _ascii_domain.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (99, 1)


@pytest.mark.promise("P-DATA-14", "P-MATCH-12")
@pytest.mark.parametrize(
    "given",
    [
        "+79000000000",
        "+7 900 000-00-00",
        "+7(900)000.00.00",
        "+7 [900] 0000000",
        "+7/900/0000000",
        "+79000000000\n",
        "+7\u00a0900\u2009000\u300000\u202800",
        "+7\u2011900\u2013000\u221200\u201400",
        "+7\u00b7900\u30fb000\uff0e0000",
        "+7\u2044900\u2215000\uff0f0000",
        "\uff0b\uff17\uff08\uff19\uff10\uff10\uff09\uff10\uff10\uff10\uff10\uff10\uff10\uff10",
        "+\u0667\u0669\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660",
        "\u202a+7900\u200b000\u00ad0000\u202c",
        "\ufefftel:+7-900-000-0000",
        " TEL: +79000000000",
    ],
    ids=ascii,
)
def test_a_phone_is_stored_as_its_digits(given: str) -> None:
    assert normal_phone(given) == "+79000000000"


@pytest.mark.promise("P-DATA-14")
@given(st.text("+79\u0667\u00a0-\u2011./()\u200b", max_size=20))
def test_a_stored_phone_is_its_own_spelling(number: str) -> None:
    try:
        stored = normal_phone(number)
    except ItemFailed:
        return

    assert normal_phone(stored) == stored


@pytest.mark.promise("P-DATA-14")
def test_no_numbering_plan_is_asked() -> None:
    assert normal_phone("+790000000000") == "+790000000000"


@pytest.mark.promise("P-DATA-14")
@pytest.mark.parametrize(
    "given",
    [
        None,
        79000000000,
        True,
        [],
        "",
        "+",
        "79000000000",
        "89000000000",
        "+0790000000",
        "+1234567",
        "+1234567890123456",
        "++79000000000",
        "+7900000000x",
        "phone",
        "tel:79000000000",
        "tel:+7900",
        "+7900000000\u00b2",
        "+7900000000\u2460",
        "+7\u0430900000000",
        "+7\\9000000000",
        "+7,9000000000",
        "+79000000000;ext=1",
        "+79000000000 tel:",
        "\ud800+79000000000",
        "+7" + "-" * 10**6 + "9000000000",
    ],
    ids=lambda each: ascii(each)[:40],
)
def test_what_is_no_phone_is_refused(given: Any) -> None:
    with pytest.raises(ItemFailed, match="Incorrect phone"):
        normal_phone(given)


def test_a_sender_with_many_blanks_is_read_at_once() -> None:
    assert mailboxes.parted(" " * 100_000 + "<a@b.co> >") == ("", "")
    assert mailboxes.parted("Ann" + " " * 100_000 + "<a@b.co>") == ("Ann", "a@b.co")
