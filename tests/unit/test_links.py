"""The link by which a mail's reader unsubscribes."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.links import VALID, Unsubscribing, digest, read, signed

pytestmark = pytest.mark.promise("P-UNSUB-01")
OLD, NEW = "an old secret of thirty-two letters!", "a new secret of thirty-two letters!!"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LINK = Unsubscribing(7, bytes(range(12)), 24, digest("ann@shop.test"))


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
