"""Texts and numbers of the file, by what may become of them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.lines import is_line


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL, which cannot be stored")
    return text


def _line(text: str) -> str:
    # Some of them become mail headers.
    if not is_line(text):
        raise ValueError("must be one line of text")
    return text


def token(value: str) -> str:
    # Else it could not travel in a header.
    if not value.isascii() or not value.isprintable() or " " in value or not 1 <= len(value) <= 256:
        raise ValueError("must be 1 to 256 visible ASCII characters without a space")
    return value


def listed(given: object) -> object:
    return [given] if isinstance(given, str) else given


def moment(given: object) -> object:
    return datetime.fromisoformat(given) if isinstance(given, str) else given


def storable(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999 of UTC") from None


Number = Annotated[int, Field(ge=1, lt=2**31)]
Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_line)]
# Of what is unique in its account: an entry of an index holds 2.7 kB.
Name = Annotated[str, Field(max_length=255), AfterValidator(_line)]
