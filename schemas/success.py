"""Pure: the answers that a hook takes for success, by a regular expression on their body."""

import re
from functools import cache
from math import prod
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

# Of a body; and of a pattern, its characters times its counts: what both allow is matched within a fraction of a second.
LOOKED_AT = 4 * 1024
_LARGEST = 1_000

_COUNTS = re.compile(r"\{(\d+)(?:,(\d*))?\}")


class Success:
    """Whether an answer's body says that a batch was taken."""

    def __init__(self, pattern: str) -> None:
        """Raises `ValueError`. By Rust's regular expressions, which never go back: time grows with the text alone, whatever it is."""
        if _size(pattern) > _LARGEST:
            raise ValueError(f"is too large: its characters times its counts, as in a{{3}}, are more than {_LARGEST:,}")
        try:
            self._matching = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
        except SchemaError as error:
            raise ValueError(f"is no regular expression, or one that looks around or back ({_reason(error)})") from None

    def matches(self, body: bytes) -> bool:
        """Anywhere in its beginning."""
        try:
            self._matching.validate_python(body[:LOOKED_AT].decode(errors="replace"))
        except ValidationError:
            return False
        return True


@cache
def success_of(pattern: str) -> Success:
    """Made once for each pattern."""
    return Success(pattern)


def _size(pattern: str) -> int:
    """Counts multiply where they are nested, and what they make of a pattern is what is matched."""
    return len(pattern) * prod(max(1, int(high or low)) for low, high in _COUNTS.findall(pattern))


def _reason(error: SchemaError) -> str:
    return str(error).strip().splitlines()[-1].strip().removeprefix("error: ")
