"""What each endpoint answers: the shapes that /docs shows, and that tests hold real answers to."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingest.envelope import STILL_PROCESSING, SUCCESS
from schemas.item_errors import Why
from schemas.system_fields import SYSTEM_MEANINGS

PROFILE, TASK = "019f3c1b2a4d5e6f70819203", "019f3c1b2a4d5e6f70819205"
_HEX = "^[0-9a-f]{24}$"
ProfileId = Annotated[str, Field(pattern=_HEX, description="24 hex digits.", examples=[PROFILE])]
TaskNumber = Annotated[str, Field(pattern=_HEX, description="24 hex digits, by which `tasks/status` knows the batch.", examples=[TASK])]
Count = Annotated[int, Field(ge=0)]


def example(**given: Any) -> ConfigDict:
    """Of an answer of success."""
    return ConfigDict(json_schema_extra={"examples": [{"error": 0, "error_text": SUCCESS, **given}]})


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Success(Shape):
    """The request was processed, even if single items failed."""

    error: Literal[0] = Field(description="0.")
    error_text: Literal["Successful operation"] = Field(description="Of success, always the same.")


class Failure(Shape):
    """The whole request failed; the HTTP status is `error`."""

    error: int = Field(description="The HTTP status.")
    error_text: str = Field(description="What failed, in words that never change.")
    error_debug: str | None = Field(None, description="Names the parameter, and says why.")
    field: str | None = Field(None, description="Of a request that brings one profile: what is to blame for its failure.")


class Imported(Shape):
    """An item whose profile was created or updated."""

    profile_id: ProfileId


class FailedItem(Shape):
    """An item that changed nothing."""

    error: Literal[400, 404, 409] = Field(description="What sort of failure it is, as an HTTP status would be.")
    error_text: str = Field(description="One of the errors of an item.", json_schema_extra={"enum": [why.text for why in Why]})
    field: str | None = Field(None, description="What is to blame, where that is one field.")


class OneImported(Success, Imported):
    """The profile was created or updated, or found; if it could not be, `error`, `error_text` and `field` say why."""

    model_config = example(profile_id=PROFILE)


class BatchImported(Success):
    """One entry for each item, in the order of `data`."""

    model_config = example(result=[{"profile_id": PROFILE}, {"error": 400, "error_text": Why.INCORRECT_EMAIL.text, "field": "email"}])

    result: list[Imported | FailedItem] = Field(description="Of each item its profile, or why it failed.")


class TaskId(Shape):
    """Where the rest will be known."""

    task_id: TaskNumber


class TaskAccepted(Success):
    """The broker has every item."""

    model_config = example(data={"task_id": TASK})

    data: TaskId


class StillProcessing(Shape):
    """The work goes on; `tasks/status` has its result."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": {"task_id": TASK}, "error": 0, "error_text": STILL_PROCESSING}]})

    data: TaskId
    error: Literal[0] = Field(description="0.")
    error_text: Literal["Accepted, still processing"] = Field(description="Of a request that ran out of time, always the same.")


_SUBSCRIPTION: dict[str, Any] = {"resource_id": 24, "channel": "email", "email": "ann@example.com", "status": "subscribed", "priority": 0}


class Subscription(BaseModel):
    """A subscription as it is stored; the keys of its address depend on its channel."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_SUBSCRIPTION]})

    resource_id: Any = Field(None, description="The resource's number.")
    channel: Any = Field(None, description="The resource's channel.")
    status: Any = Field(None, description="A word, such as `subscribed`.")
    priority: Any = Field(None, description="The lowest is sent to first.")


def _with_system_fields(schema: dict[str, Any]) -> None:
    schema["properties"] |= {name: {"description": meaning} for name, meaning in SYSTEM_MEANINGS.items()}


class Profile(BaseModel):
    """The fields that it has, those of its own database among them; dates are in UTC, as RFC 3339 or `YYYY-MM-DD`."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, json_schema_extra=_with_system_fields)

    id: ProfileId = Field(alias="_id")
    email: Any = Field(None, description="Its e-mail, as it is compared.")
    phones: Any = Field(None, description="An array of numbers, as they are compared.")
    subscriptions: list[Subscription] = Field(description="In the order in which they were added.")


class ProfileShown(Success):
    """The profile as it is now."""

    model_config = example(
        data={"_id": PROFILE, "email": "ann@example.com", "_fname": "Ann", "plan": "pro", "subscriptions": [_SUBSCRIPTION]}
    )

    data: Profile


class ProfileErased(Success):
    """Nobody finds it any more."""

    model_config = example(profile_id=PROFILE)

    profile_id: ProfileId


class Cancellation(Shape):
    """How many launches are taken back."""

    cancelled: Count = Field(
        description="Launches that are certainly taken back. Of a group that is being launched, be it slowly, `tasks/status` counts them."
    )
    not_yet_scheduled: Count = Field(description="Items on their way, whose launches will be taken back as they come.")


class LaunchesCancelled(Success):
    """None of them begins any more."""

    model_config = example(data={"cancelled": 2, "not_yet_scheduled": 0})

    data: Cancellation
