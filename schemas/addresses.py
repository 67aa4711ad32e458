"""How an e-mail address and a phone number are checked and spelled, so that equal ones compare equal."""

import re
import unicodedata

import email_validator

from schemas.failures import ItemFailed

# `user@shop.test` is common on laptops; whether such a domain can get mail is not ours to judge.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_LONGEST_EMAIL = 254

# What email-validator would leave as it is but for its case; 70 µs an address are saved for nearly all of them.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9\-]{0,61}[a-z])?",
    re.ASCII | re.IGNORECASE,
)
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_PUNCTUATION = str.maketrans("", "", " -.()[]")


def normal_email(value: object) -> str:
    """The address as it is stored and compared: NFC, lower case, its domain in A-labels."""
    if not isinstance(value, str):
        raise ItemFailed(400, "Incorrect email")
    address = value.strip()
    # Domains with a double hyphen may be A-labels, which have rules of their own.
    if len(address) <= _LONGEST_EMAIL and _PLAIN_EMAIL.fullmatch(address) and "--" not in address:
        return address.lower()
    return _validated(address)


def _validated(address: str) -> str:
    try:
        valid = email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        raise ItemFailed(400, "Incorrect email") from None
    # Lower case may take a letter apart that NFC had put together.
    local = unicodedata.normalize("NFC", valid.local_part.lower())
    return f"{local}@{valid.ascii_domain.lower()}"


def normal_phone(value: object) -> str:
    """The number as it is stored and compared: a plus and 8 to 15 digits, without any punctuation.

    No numbering plan is asked, and the plus is never guessed: without it nobody knows the country.
    """
    if isinstance(value, str):
        digits = value.translate(_PUNCTUATION)
        if _PHONE.fullmatch(digits):
            return digits
    raise ItemFailed(400, "Incorrect phone")
