"""Pure: numbers that were counted up to a bound, and said to be so."""

from dataclasses import dataclass

# Rows that one count looks at.
MOST = 10_000


@dataclass(frozen=True)
class Counted:
    """So many; where not all were looked at, at least so many, and by the planner's estimate `about`."""

    number: int
    is_all: bool = True
    about: int | None = None

    def __str__(self) -> str:
        if self.is_all:
            return f"{self.number:,}"
        return f"{self.number:,}+" if self.about is None or self.about <= self.number else f"≈ {self.about:,}"


def bounded(found: int, most: int = MOST) -> Counted:
    """Of a statement that was told to stop after `most` and one more."""
    return Counted(min(found, most), found <= most)
