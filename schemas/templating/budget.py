"""How much of its values a template may look at: a thousand conditions on a large field are work, though nothing comes out."""

# Characters; as slowly as they can be searched, a sixth of a second.
_MOST = 16 * 1024 * 1024
# An element of a list takes as long as so many of them.
ELEMENT = 32


class TooCostly(Exception):
    """The template's conditions and lists look at more of its values than one launch may."""


class Budget:
    """What a launch may still look at, for one of its templates."""

    def __init__(self) -> None:
        self._left = _MOST

    def characters(self, count: int) -> None:
        """Raises `TooCostly`."""
        self._left -= count
        if self._left < 0:
            raise TooCostly

    def elements(self, count: int) -> None:
        """Raises `TooCostly`."""
        self.characters(count * ELEMENT)
