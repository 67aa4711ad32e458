"""The file that `profuse apply` reads: what it may say."""

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from schemas.channels import CHANNELS
from store.configuration.model import BadDeclaration, Key, Kind, Values
from store.configuration.parts import NAME, STRICT, Database, Hook, Provider, Resource, Token, Trigger, at_most, place, reason_of
from store.configuration.texts import Line, Number

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _own_channel(name: str) -> str:
    if name in CHANNELS:
        raise ValueError("is known already")
    if not _CHANNEL.fullmatch(name):
        raise ValueError("must be small letters, digits and underscores, at most 63")
    return name


def _kept(info: ValidationInfo) -> Any:
    """What is stored of this key of the account itself."""
    number = info.data.get("id", 0)
    return (info.context or {}).get(Key(Kind.ACCOUNT, number, number), {}).get(info.field_name)


def _beside_stored(kind: Kind, part: type[BaseModel]) -> WrapValidator:
    """Each by what is stored of it: another account's of the same number or name is another one."""
    parts = TypeAdapter(list[part], config=STRICT)  # type: ignore[valid-type]

    def read(given: Any, read_as_new: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if info.context is None:
            return read_as_new(given)
        account = info.data.get("id")
        kept = {key.id: values for key, values in info.context.items() if key.kind is kind and key.account == account}
        return parts.validate_python(given, context=kept)

    return WrapValidator(read)


class Account(BaseModel):
    # What is said of a key stands in the reference, too.
    model_config = STRICT | ConfigDict(use_attribute_docstrings=True)

    id: Number
    """Its number; no two accounts have the same."""
    name: Annotated[Line, at_most(NAME, _kept)]
    """For people."""
    channels: list[Annotated[str, AfterValidator(_own_channel)]] = []
    """Its own, beside those that are known: small letters, digits and underscores."""
    tokens: list[Token] = []
    databases: Annotated[list[Database], _beside_stored(Kind.DATABASE, Database)] = []
    resources: Annotated[list[Resource], _beside_stored(Kind.RESOURCE, Resource)] = []
    providers: list[Provider] = []
    triggers: Annotated[list[Trigger], _beside_stored(Kind.TRIGGER, Trigger)] = []
    hooks: Annotated[list[Hook], _beside_stored(Kind.HOOK, Hook)] = []


class File(BaseModel):
    model_config = STRICT

    accounts: list[Account] = []


class _Named(BaseModel):
    id: Number


_NAMED = TypeAdapter(list[_Named])


def accounts_of(text: str) -> set[int]:
    """Whose file it is, whatever else is wrong with it; none where that cannot be told. Raises `BadDeclaration`."""
    try:
        return {account.id for account in _NAMED.validate_python(_parsed(text).get("accounts"), strict=True)}
    except ValidationError:
        return set()


def read(text: str, stored: Mapping[Key, Values] | None = None) -> File:
    """Raises `BadDeclaration`; texts and names that are `stored` are not asked again."""
    try:
        return File.model_validate(_parsed(text), context=stored)
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
