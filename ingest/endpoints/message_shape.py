"""A campaign's message, as requests give it and answers show it."""

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """Which of these it has, its channel says."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(None, description="Of an e-mail.")
    from_email: str | None = Field(None, description="Of an e-mail: the sender's address.")
    from_name: str | None = Field(None, description="Of an e-mail: the sender's name.")
    html: str | None = Field(None, description="Of an e-mail.")
    text: str | None = Field(None, description="Of an e-mail its plain part; of a text or a push message what it says.")
    title: str | None = Field(None, description="Of a push message.")
    link: str | None = Field(None, description="Of a push message: where it leads.")
    body: str | None = Field(None, description="Of a webhook: JSON with placeholders in its strings.")
