"""What a profile is found by, as requests and their items say it."""

from typing import Annotated

from pydantic import Field

from schemas.ids import SIZE

Email = Annotated[str | None, Field(description="Of the modes by e-mail.")]
Phone = Annotated[str | None, Field(description="Of the modes by phone, with its country's code.")]
ProfileId = Annotated[str | None, Field(description=f"Of the mode `profile_id`: {2 * SIZE} hex digits.")]
FieldValue = Annotated[int | str | None, Field(description="Of `custom` and `custom_sub`: what the field or member holds.")]
Provider = Annotated[str | None, Field(description="Of a push subscription; with `subscription_id`.")]
SubscriptionId = Annotated[str | None, Field(description="Of a push subscription: the device, as its provider knows it.")]
