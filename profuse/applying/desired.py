"""The file as things: each under its key, with its place in the file."""

from collections.abc import Iterator

from profuse.applying.file import Account, File, path
from schemas.channels import CHANNELS
from store.configuration.model import BadDeclaration, Key, Kind, Values, Wanted


def wanted(file: File) -> dict[Key, Wanted]:
    """In an order in which they can be written. Raises `BadDeclaration` if one is named twice, or of a channel that there is none of."""
    found: dict[Key, Wanted] = {}
    wrong = []
    for at, account in enumerate(file.accounts):
        wrong += [f"{path('accounts', at, *place)}: {reason}" for place, reason in _unknown_channels(account)]
        for key, place, values in _things(account):
            where = path("accounts", at, *place)
            if key in found:
                wrong.append(f"{where}: {key} is already at {found[key].path}")
            found[key] = Wanted(where, values)
    if wrong:
        raise BadDeclaration("\n".join(wrong))
    return found


def _unknown_channels(account: Account) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Its own ones are listed, so that a typo is none."""
    known = [*(name for name, row in CHANNELS.items() if row.keys), *account.channels]
    for at, resource in enumerate(account.resources):
        if resource.channel not in known:
            yield ("resources", at, "channel"), f"must be one of {', '.join(known)}, or an own one that `channels` lists"


def _things(account: Account) -> Iterator[tuple[Key, tuple[str | int, ...], Values]]:
    yield Key(Kind.ACCOUNT, account.id, account.id), (), {"name": account.name}
    for at, token in enumerate(account.tokens):
        yield Key(Kind.TOKEN, account.id, token.name), ("tokens", at), token.values()
    for at, database in enumerate(account.databases):
        yield Key(Kind.DATABASE, account.id, database.id), ("databases", at), database.model_dump(exclude={"id"}, mode="json")
    for at, resource in enumerate(account.resources):
        yield Key(Kind.RESOURCE, account.id, resource.id), ("resources", at), resource.model_dump(exclude={"id"})
    for at, provider in enumerate(account.providers):
        yield Key(Kind.PROVIDER, account.id, provider.name), ("providers", at), provider.model_dump(exclude={"name"})
    for at, trigger in enumerate(account.triggers):
        yield Key(Kind.TRIGGER, account.id, trigger.id), ("triggers", at), trigger.values()
    for at, hook in enumerate(account.hooks):
        yield Key(Kind.HOOK, account.id, hook.name), ("hooks", at), hook.model_dump(exclude={"name"})
