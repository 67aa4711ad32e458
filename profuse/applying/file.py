"""The file that `profuse apply` reads: what it may say."""

import re
import tomllib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError

from schemas.channels import CHANNELS
from store.configuration.model import BadDeclaration
from store.configuration.parts import STRICT, Database, Hook, Provider, Resource, Token, Trigger, place, reason_of
from store.configuration.texts import Line, Number

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _own_channel(name: str) -> str:
    if name in CHANNELS:
        raise ValueError("is known already")
    if not _CHANNEL.fullmatch(name):
        raise ValueError("must be small letters, digits and underscores, at most 63")
    return name


class Account(BaseModel):
    model_config = STRICT

    id: Number
    name: Line
    # Its own, beside those that are known.
    channels: list[Annotated[str, AfterValidator(_own_channel)]] = []
    tokens: list[Token] = []
    databases: list[Database] = []
    resources: list[Resource] = []
    providers: list[Provider] = []
    triggers: list[Trigger] = []
    hooks: list[Hook] = []


class File(BaseModel):
    model_config = STRICT

    accounts: list[Account] = []


def read(text: str) -> File:
    """Raises `BadDeclaration`."""
    try:
        return File.model_validate(_parsed(text))
    except ValidationError as error:
        raise BadDeclaration(
            "\n".join(f"{path(*found['loc'])}: {reason_of(dict(found))}" for found in error.errors(include_url=False))
        ) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadDeclaration(str(error)) from None
    except ValueError:
        raise BadDeclaration("a number has more digits than can be read") from None
    except RecursionError:
        raise BadDeclaration("nested too deeply") from None


def path(*steps: int | str) -> str:
    """`accounts[0].triggers[1].channel`"""
    return place(*(step for step in steps if step != "[key]")) or "the file"
