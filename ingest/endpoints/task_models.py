"""What `tasks/status` answers."""

from typing import Literal

from pydantic import Field

from ingest.endpoints.response_models import PROFILE, TASK, Count, FailedItem, Imported, Shape, Success, TaskNumber, example


class TaskResult(Shape):
    """Counts of the whole batch, and the entries that were asked for."""

    total: Count = Field(description="Items of the request.")
    imported: Count = Field(description="Items that are answered with a profile.")
    failed: Count = Field(description="Items that are answered with an error.")
    scheduled: Count = Field(description="Launches that are not over.")
    launched: Count = Field(description="Launches that were sent.")
    skipped: Count = Field(description="Launches that had nobody to go to, or were not wanted any more.")
    launch_failed: Count = Field(description="Launches that could not be sent.")
    cancelled: Count = Field(description="Launches that were taken back.")
    items: list[Imported | FailedItem | None] = Field(description="As in `result`; null is not answered yet.")


class Task(Shape):
    """How far a batch has come."""

    task_id: TaskNumber
    status: Literal["accepting", "running", "completed", "incomplete"] = Field(
        description="`accepting`: the broker has not all of it yet. `running`: not every item is answered. "
        "`completed`: every item is answered, launches may go on. `incomplete`: its gateway died while it published; repeat it."
    )
    progress: int = Field(ge=0, le=100, description="Answered items in %.")
    result: TaskResult


_COUNTS = {"total": 2, "imported": 1, "failed": 0, "scheduled": 1, "launched": 0, "skipped": 0, "launch_failed": 0, "cancelled": 0}


class TaskShown(Success):
    """The batch as it is at this moment."""

    model_config = example(
        data={"task_id": TASK, "status": "running", "progress": 50, "result": {**_COUNTS, "items": [{"profile_id": PROFILE}, None]}}
    )

    data: Task
