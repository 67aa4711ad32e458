"""What each endpoint answers: the shapes that /docs shows, and that tests hold real answers to."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.item_errors import Why

HexId = Annotated[str, Field(pattern="^[0-9a-f]{24}$", examples=["019f3c1b2a4d5e6f70819203"])]
Count = Annotated[int, Field(ge=0)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Success(Shape):
    """The request was processed, even if single items failed."""

    error: Literal[0]
    error_text: Literal["Successful operation"]


class Failure(Shape):
    """The whole request failed; the HTTP status is `error`."""

    error: int
    error_text: str
    error_debug: str | None = Field(None, description="Names the parameter, and says why.")
    field: str | None = Field(None, description="Of a request that brings one profile: what is to blame for its failure.")


class Imported(Shape):
    """An item whose profile was created or updated."""

    profile_id: HexId


class FailedItem(Shape):
    """An item that changed nothing."""

    error: Literal[400, 404, 409]
    error_text: str = Field(json_schema_extra={"enum": [why.text for why in Why]})
    field: str | None = Field(None, description="What is to blame, where that is one field.")


class OneImported(Success, Imported):
    """The profile was created or updated, or found; if it could not be, `error`, `error_text` and `field` say why."""


class BatchImported(Success):
    """One entry for each item, in the order of `data`."""

    result: list[Imported | FailedItem]


class TaskId(Shape):
    task_id: HexId


class TaskAccepted(Success):
    """The broker has every item."""

    data: TaskId


class StillProcessing(Shape):
    """The work goes on; `tasks/status` has its result."""

    data: TaskId
    error: Literal[0]
    error_text: Literal["Accepted, still processing"]


class Profile(BaseModel):
    """The fields that it has, those of its own database among them."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    id: HexId = Field(alias="_id")
    subscriptions: list[dict[str, Any]]


class ProfileShown(Success):
    data: Profile


class ProfileErased(Success):
    profile_id: HexId


class Database(Shape):
    id: int
    name: str


class DatabasesListed(Success):
    """A part of the list; `total_count` counts all from `from_id` on."""

    data: list[Database]
    total_count: Count


class DataField(Shape):
    """A field that profiles may have."""

    name: str
    type: str
    system: bool = Field(description="Whether every database has it.")
    match: bool = Field(description="Whether `custom` matching searches by it.")
    options: list[str] | None = Field(None, description="Of an enum, in the order of their ordinals.")


class FieldsListed(Success):
    data: list[DataField]
    total_count: Count


class ListedTrigger(Shape):
    id: int
    name: str
    type: str
    is_active: bool


class TriggersListed(Success):
    """A part of the list; `total_count` counts all from `from_id` on."""

    data: list[ListedTrigger]
    total_count: Count


class TriggerContent(Shape):
    subject: str
    from_email: str
    from_name: str
    html: str


class Trigger(Shape):
    """A trigger campaign, under the names that the original has for it."""

    id: int
    name: str
    is_active: bool
    trigger_type: str
    list_id: int = Field(description="The database's number.")
    resource_id: int | None
    send_channel: str
    skip_minutes: Count
    unconditional_sending: bool
    fields: list[str] | None = Field(description="Of an `update` trigger: it starts only when one of these changed.")
    content: list[TriggerContent]


class TriggerShown(Success):
    data: Trigger


class TaskResult(Shape):
    """Counts of the whole batch, and the entries that were asked for."""

    total: Count
    imported: Count
    failed: Count
    scheduled: Count = Field(description="Launches that are not over.")
    launched: Count
    skipped: Count
    launch_failed: Count
    cancelled: Count
    items: list[Imported | FailedItem | None] = Field(description="As in `result`; null is not answered yet.")


class Task(Shape):
    task_id: HexId
    status: Literal["accepting", "running", "completed", "incomplete"] = Field(
        description="`completed`: every item is answered, launches may go on. `incomplete`: its gateway died while it published; repeat it."
    )
    progress: Annotated[int, Field(ge=0, le=100, description="Answered items in %.")]
    result: TaskResult


class TaskShown(Success):
    data: Task


class Cancellation(Shape):
    cancelled: Count = Field(description="Launches that are certainly taken back; `tasks/status` has the final count.")
    not_yet_scheduled: Count = Field(description="Items on their way, whose launches will be taken back as they come.")


class LaunchesCancelled(Success):
    data: Cancellation
