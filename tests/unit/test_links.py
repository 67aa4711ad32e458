"""The link by which a mail's reader unsubscribes."""

import hashlib
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest

from schemas.links import VALID, Unsubscribing, digest, means, read, signed

pytestmark = pytest.mark.promise("P-UNSUB-01")
OLD, NEW = "an old secret of thirty-two letters!", "a new secret of thirty-two letters!!"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
BY_AN_OLDER_RELEASE = "AAECAwQFBgcICQoLAAAABwAAABgLSc9oHlzx096Q40IC_JSB0XxB0aV2Zv0-8g"
LINK = Unsubscribing(7, bytes(range(12)), 24, digest(NEW, "ann@shop.test"))


def test_it_says_what_was_signed_and_is_one_short_word() -> None:
    text = signed([NEW], LINK, NOW)

    assert read([NEW], text, NOW) == LINK
    assert text.isascii()
    assert len(text) == 62
    assert not set(text) & set("/+=. <>")


def test_a_key_can_be_changed_without_breaking_the_links_of_before() -> None:
    before = signed([OLD], LINK, NOW)

    assert read([NEW, OLD], before, NOW) == LINK
    assert read([NEW], before, NOW) is None


def test_it_is_valid_for_a_year() -> None:
    text = signed([NEW], LINK, NOW)

    assert read([NEW], text, NOW + VALID) == LINK
    assert read([NEW], text, NOW + VALID + timedelta(days=1)) is None


def test_whatever_was_changed_is_unknown() -> None:
    text = signed([NEW], LINK, NOW)

    for at in range(len(text)):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert read([NEW], changed, NOW) in (None, LINK if at == len(text) - 1 else None)


@pytest.mark.parametrize("text", ["", "A", "A" * 61, "A" * 63, "A" * 10_000, "é" * 62, "%00", "=" * 62])
def test_nonsense_is_unknown(text: str) -> None:
    assert read([NEW], text, NOW) is None


def test_nothing_of_the_address_can_be_read_in_it() -> None:
    assert "shop" not in signed([NEW], LINK, NOW)


def test_a_phone_number_cannot_be_guessed_in_it_without_the_key() -> None:
    number = "+491511234567"
    text = signed([NEW], Unsubscribing(7, bytes(12), 24, digest(NEW, number)), NOW)
    raw = urlsafe_b64decode(text + "==")

    assert digest(NEW, number) in raw
    assert hashlib.blake2b(number.encode(), digest_size=8).digest() not in raw
    assert digest(OLD, number) not in raw


@pytest.mark.parametrize("key", [NEW, OLD])
def test_it_means_its_address_and_no_other_by_a_key_of_before_too(key: str) -> None:
    link = Unsubscribing(7, bytes(12), 24, digest(key, "ann@shop.test"))

    assert means([NEW, OLD], link, "ann@shop.test")
    assert not means([NEW, OLD], link, "bob@shop.test")


def test_one_that_an_older_release_made_of_a_bare_digest_is_good() -> None:
    link = read([NEW, OLD], BY_AN_OLDER_RELEASE, NOW)

    assert link is not None
    assert means([NEW, OLD], link, "ann@shop.test")
    assert not means([NEW, OLD], link, "bob@shop.test")
