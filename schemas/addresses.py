"""How an e-mail address and a phone number are checked and spelled, so that equal ones compare equal."""

import re
import unicodedata
from functools import lru_cache

import email_validator

from schemas.item_errors import ItemFailed, Why

# `user@shop.test` is common on laptops; whether such a domain can get mail is not ours to judge.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_LONGEST_EMAIL = 254
_LONGEST_LOCAL = 64

# What email-validator would leave as it is but for its case; 70 µs an address are saved for nearly all of them.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9\-]{0,61}[a-z])?",
    re.ASCII | re.IGNORECASE,
)
# Any domain that is valid, for who asks about what stands before the @ only; and the other way round.
_ANY_DOMAIN = "a.bc"
_ANYBODY = "a"

_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_LONGEST_PHONE = 1_024

MOST_PHONES = 1_000
"""Of a profile."""

# Dashes, brackets and invisible characters, by their categories; the other dots, slashes and minus signs have none of their own.
_GROUPING = frozenset({"Pd", "Ps", "Pe", "Cf"})
_DOTS_AND_SLASHES = frozenset("./\u00b7\u2024\u2027\u3002\u30fb\ufe52\uff0e\uff61\uff65\u2044\u2215\uff0f")
_MINUS_SIGNS = frozenset("\u02d7\u2043\u2212")
_PLUS_SIGNS = frozenset("\ufe62\uff0b")


def normal_email(value: object) -> str:
    """The address as it is stored and compared: NFC, lower case, its domain in A-labels."""
    if isinstance(value, str):
        address = value.strip()
        # Length comes first: the other checks may cost more than a letter each.
        if len(address) <= _LONGEST_EMAIL and address.rfind("@") <= _LONGEST_LOCAL:
            # Domains with a double hyphen may be A-labels, which have rules of their own.
            if _PLAIN_EMAIL.fullmatch(address) and "--" not in address:
                return address.lower()
            if (validated := _validated(address)) is not None:
                return validated
    raise ItemFailed(Why.INCORRECT_EMAIL)


def _validated(address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    # An encoded word is no address: whoever shows it may show another one.
    if ascii_domain is None or "=?" in local:
        return None
    try:
        valid = email_validator.validate_email(f"{local}@{_ANY_DOMAIN}", check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    # Lower case may take a letter apart that NFC had put together.
    local = unicodedata.normalize("NFC", valid.local_part.lower())
    stored = f"{local}@{ascii_domain}"
    return stored if len(local) <= _LONGEST_LOCAL and len(stored.encode()) <= _LONGEST_EMAIL else None


# Up to milliseconds for a domain beyond ASCII, and many addresses share one.
@lru_cache(maxsize=8_192)
def _ascii_domain(domain: str) -> str | None:
    """The domain in A-labels and lower case; None if it is none."""
    try:
        return email_validator.validate_email(f"{_ANYBODY}@{domain}", check_deliverability=False).ascii_domain.lower()
    except email_validator.EmailNotValidError:
        return None


class _Reading(dict[int, str | None]):
    """How each character of a phone is read, for `str.translate`: only those that change are kept, a thousand at most."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        reading = _read(character)
        if reading != character or character.isascii():
            self[code] = reading
        return reading


def _read(character: str) -> str | None:
    """A digit of any script as that digit; None for what only parts them."""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in _GROUPING or character.isspace() or character in _DOTS_AND_SLASHES or character in _MINUS_SIGNS:
        return None
    return "+" if character in _PLUS_SIGNS else character


_READING = _Reading()


def normal_phones(value: object) -> list[str]:
    """One number or several as they are stored, each once."""
    phones = dict.fromkeys(map(normal_phone, value if isinstance(value, list) else [value]))
    if len(phones) > MOST_PHONES:
        raise ItemFailed(Why.PROFILE_TOO_LARGE)
    return list(phones)


def normal_phone(value: object) -> str:
    """The number as it is stored and compared: a plus and 8 to 15 digits, without any punctuation.

    No numbering plan is asked, and the plus is never guessed: without it nobody knows the country.
    """
    if isinstance(value, str) and len(value) <= _LONGEST_PHONE:
        # Most are spelled well.
        if _PHONE.fullmatch(value):
            return value
        digits = value.translate(_READING)
        # As in a link; the blanks before it are gone by now.
        if digits[:4].lower() == "tel:":
            digits = digits[4:]
        if _PHONE.fullmatch(digits):
            return digits
    raise ItemFailed(Why.INCORRECT_PHONE)
