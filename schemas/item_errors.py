"""Why one item of a batch fails: the catalogue of `error` and `error_text`, and the exception that carries a row of it."""

from enum import Enum
from typing import Self


class Why(Enum):
    """One row: the item's `error`, its `error_text`, and what it means; clients compare the text, so that none ever changes."""

    ITEM_TOO_LARGE = 400, "Item too large", "It has more bytes than `PROFUSE_ITEM_LIMIT`, or than the broker takes."
    TEXT_CANNOT_BE_STORED = 400, "Text cannot be stored", "A text holds NUL or half of a surrogate pair."
    INCORRECT_OBJECT = 400, "Incorrect object", "Something is no JSON object, or no array of them, where one belongs."
    UNKNOWN_PARAMETER = 400, "Unknown parameter", "The item has a key beside `data`, the match keys and `custom_data`."
    CUSTOM_DATA_TOO_LARGE = 400, "Custom data too large", "It has more bytes than `PROFUSE_CUSTOM_DATA_LIMIT`."
    NO_MATCH_VALUE = 400, "No match value", "Neither the item, nor its profile, nor the root has one."
    MATCH_VALUE_TOO_LONG = 400, "Match value too long", "It has more than 1,024 bytes as it is compared."
    PLACEHOLDER = 400, "Placeholder", "The match value is what clients write for one that they do not have (`PROFUSE_PLACEHOLDERS`)."
    FIELD_NOT_MATCHED_BY = 400, "Field is not matched by", "The database does not declare it as matchable, or not any more."
    FIELD_IS_BEING_INDEXED = 409, "Field is being indexed", "Older profiles are still being filed by it: try again later."
    PROFILE_NOT_FOUND = 404, "Profile not found", "No profile has this id in the database; or, where nothing is imported, none matches."
    SEVERAL_MATCH = 409, "More than one profile matches", "Nothing was changed."
    EMAIL_IS_TAKEN = 409, "Email belongs to another profile", "A database holds an e-mail once."
    UNKNOWN_FIELD = 400, "Unknown field", "The database declares none of this name."
    PROFILE_TOO_LARGE = (
        400,
        "Profile too large",
        "As stored it would have more than 1 MiB, 29 levels, 1,000 phones or 1,000 subscriptions; or it gives over 2,000 of the latter.",
    )
    INCORRECT_ACTION = (
        400,
        "Incorrect action",
        "The field has no such functional update, or what that needs is missing; or a subscription is changed by more than 10.",
    )
    INCORRECT_VALUE = 400, "Incorrect value", "A match value is neither a number nor a text."
    INCORRECT_ID = 400, "Incorrect id", "`_id` is not the id of the profile that was matched."
    INCORRECT_EMAIL = 400, "Incorrect email", "It is no e-mail address."
    INCORRECT_PHONE = 400, "Incorrect phone", "It is no phone number with its country's code."
    INCORRECT_NUMBER = 400, "Incorrect number", "It is no number of the field's type, or out of its range."
    INCORRECT_STRING = 400, "Incorrect string", "It is no text."
    INCORRECT_BOOLEAN = 400, "Incorrect boolean", "It is neither true nor false."
    INCORRECT_DATE = 400, "Incorrect date", "It is no date that Profuse reads."
    INCORRECT_OPTION = 400, "Incorrect option", "It is none of the field's options."
    INCORRECT_IP = 400, "Incorrect ip", "It is no IP address."
    INCORRECT_TAGS = 400, "Incorrect tags", "They are neither a text nor an array of texts, or none where one is searched by."
    INCORRECT_SUBSCRIPTIONS = 400, "Incorrect subscriptions", "They are no array of objects."
    UNKNOWN_SUBSCRIPTION_KEY = 400, "Unknown subscription key", "A subscription has a key that none has."
    UNKNOWN_RESOURCE = 400, "Unknown resource", "The database has none of this number, or several where none is named."
    CHANNEL_DIFFERS = 400, "Channel differs from the resource's", "A subscription's channel or address is another one's."
    INCORRECT_SUBSCRIPTION_ADDRESS = 400, "Incorrect subscription address", "It is none of the subscription's channel."
    CANNOT_BE_PROCESSED = 400, "Cannot be processed", "Its message is a dead letter: an operator sees why, and can replay it."

    @property
    def error(self) -> int:
        return self.value[0]

    @property
    def text(self) -> str:
        return self.value[1]

    @property
    def meaning(self) -> str:
        return self.value[2]


class ItemFailed(Exception):
    """Fails its own item and nothing else; shown in the item's place in `result`."""

    def __init__(self, why: Why, field: str | None = None) -> None:
        super().__init__(why.text)
        self.why = why
        self.field = field

    def entry(self) -> dict[str, int | str]:
        """The item's entry in `result`: `field` only where one is to blame."""
        shown: dict[str, int | str] = {"error": self.why.error, "error_text": self.why.text}
        return shown if self.field is None else shown | {"field": self.field}

    def at(self, field: str) -> Self:
        """The same failure, naming the field that is to blame."""
        return type(self)(self.why, field)


CANNOT_BE_PROCESSED = ItemFailed(Why.CANNOT_BE_PROCESSED)
