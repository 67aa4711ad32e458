"""Why one item of a batch failed, in the words of the API."""

from typing import Self


class ItemFailed(Exception):
    """Fails its own item and nothing else; shown in the item's place in `result`."""

    def __init__(self, error: int, error_text: str, field: str | None = None) -> None:
        super().__init__(error_text)
        self.error = error
        self.error_text = error_text
        self.field = field

    def entry(self) -> dict[str, int | str]:
        """The item's entry in `result`: `field` only where one is to blame."""
        shown: dict[str, int | str] = {"error": self.error, "error_text": self.error_text}
        return shown if self.field is None else shown | {"field": self.field}

    def at(self, field: str) -> Self:
        """The same failure, naming the field that is to blame."""
        return type(self)(self.error, self.error_text, field)


INDEXING = "Field is being indexed"
CANNOT_BE_PROCESSED = ItemFailed(400, "Cannot be processed")
