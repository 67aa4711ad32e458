"""How e-mails and phones are checked and spelled."""

from typing import Any

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.addresses import normal_email, normal_phone
from schemas.failures import ItemFailed

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


@pytest.mark.promise("P-DATA-13", "P-DATA-19")
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
        "a" * 250 + "@x.io",
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
    return f"{valid.local_part.lower()}@{valid.ascii_domain}"


@pytest.mark.promise("P-DATA-14", "P-MATCH-12")
@pytest.mark.parametrize("given", ["+79000000000", "+7 900 000-00-00", "+7(900)000.00.00", "+7 [900] 0000000"])
def test_a_phone_is_stored_as_its_digits(given: str) -> None:
    assert normal_phone(given) == "+79000000000"


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
        "+\u06679000000000",
        "+79000000000\n",
        "+7\u00a09000000000",
        "phone",
    ],
)
def test_what_is_no_phone_is_refused(given: Any) -> None:
    with pytest.raises(ItemFailed, match="Incorrect phone"):
        normal_phone(given)
