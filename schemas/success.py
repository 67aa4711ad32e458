"""Pure: the answers that a hook takes for success, by a regular expression on their body."""

from functools import cache
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

# Of a body.
LOOKED_AT = 4 * 1024
# By what was stored while its bound was its characters times its counts.
LOOKED_AT_BY_LARGE = 256
# A pattern is small if so many of it in a row are still compiled, into 10 MiB: that counts what its repeats, classes and flags make of it.
# The largest is matched within a tenth of a second.
_SMALL = 30
_LONGEST = 1_000


class Success:
    """Whether an answer's body says that a batch was taken."""

    def __init__(self, pattern: str) -> None:
        """Raises `ValueError`. By Rust's regular expressions, which never go back: time grows with the text, times the pattern."""
        try:
            self._matching = _compiled(pattern)
        except SchemaError as error:
            raise ValueError(f"is no regular expression, or one that looks around or back ({_reason(error)})") from None
        self.is_large = is_large(pattern)

    def matches(self, body: bytes) -> bool:
        """Anywhere in its beginning."""
        beginning = body[: LOOKED_AT_BY_LARGE if self.is_large else LOOKED_AT]
        try:
            self._matching.validate_python(beginning.decode(errors="replace"))
        except ValidationError:
            return False
        return True


@cache
def success_of(pattern: str) -> Success:
    """Made once for each pattern."""
    return Success(pattern)


def checked(pattern: str) -> str:
    """A new one; raises `ValueError`."""
    if success_of(pattern).is_large:
        raise ValueError(
            "is too large: it has more than 1,000 characters, or its repeats and classes make too much of it; "
            r"\w and \p{L} are thousands of characters each, [a-z0-9_] is less"
        )
    return pattern


def _compiled(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


def is_large(pattern: str) -> bool:
    """Whether only a stored one may be like this."""
    if len(pattern) > _LONGEST:
        return True
    try:
        # With its line ended, for it may end in a comment.
        _compiled(f"(?:{pattern}\n){{{_SMALL}}}")
    except SchemaError:
        return True
    return False


def _reason(error: SchemaError) -> str:
    return str(error).strip().splitlines()[-1].strip().removeprefix("error: ")
