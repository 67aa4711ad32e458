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


class Imported(Shape):
    """An item whose profile was created or updated."""

    profile_id: HexId


class FailedItem(Shape):
    """An item that changed nothing."""

    error: Literal[400, 404, 409]
    error_text: str = Field(json_schema_extra={"enum": [why.text for why in Why]})
    field: str | None = Field(None, description="What is to blame, where that is one field.")


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
