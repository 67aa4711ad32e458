"""Pure: what one account may hold of anything that all accounts share, so that its launches never take all of it."""


def half(count: int) -> int:
    """What one account may hold of so many; of a single one, that."""
    return max(1, count // 2)
