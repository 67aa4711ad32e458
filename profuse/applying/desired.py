"""The file as things: each under its key, with its place in the file."""

from collections.abc import Iterator

from profuse.applying import messaging
from profuse.applying.file import Account, BadFile, File, Token, Trigger, path
from profuse.applying.model import Key, Kind, Values, Wanted
from schemas.channels import MESSAGE
from schemas.tokens import Right, hashed


def wanted(file: File) -> dict[Key, Wanted]:
    """In an order in which they can be written. Raises `BadFile` if one is named twice."""
    found: dict[Key, Wanted] = {}
    twice = []
    for at, account in enumerate(file.accounts):
        for key, place, values in _things(account):
            where = path("accounts", at, *place)
            if key in found:
                twice.append(f"{where}: {key} is already at {found[key].path}")
            found[key] = Wanted(where, values)
    if twice:
        raise BadFile("\n".join(twice))
    return found


def _things(account: Account) -> Iterator[tuple[Key, tuple[str | int, ...], Values]]:
    yield Key(Kind.ACCOUNT, account.id, account.id), (), {"name": account.name}
    for at, token in enumerate(account.tokens):
        yield Key(Kind.TOKEN, account.id, token.name), ("tokens", at), _token(token)
    for at, database in enumerate(account.databases):
        yield Key(Kind.DATABASE, account.id, database.id), ("databases", at), database.model_dump(exclude={"id"}, mode="json")
    for at, resource in enumerate(account.resources):
        yield Key(Kind.RESOURCE, account.id, resource.id), ("resources", at), resource.model_dump(exclude={"id"})
    for at, provider in enumerate(account.providers):
        yield Key(Kind.PROVIDER, account.id, provider.name), ("providers", at), provider.model_dump(exclude={"name"})
    for at, trigger in enumerate(account.triggers):
        yield Key(Kind.TRIGGER, account.id, trigger.id), ("triggers", at), _trigger(trigger)
    for at, hook in enumerate(account.hooks):
        yield Key(Kind.HOOK, account.id, hook.name), ("hooks", at), hook.model_dump(exclude={"name"})


def _trigger(trigger: Trigger) -> Values:
    message = {name: getattr(trigger, name) or "" for name in MESSAGE}
    if trigger.inline_css:
        message["html"] = messaging.inlined(message["html"])
    # What its file does not say is what its readers without HTML see.
    message["text"] = message["text"] or (messaging.plain(message["html"]) if message["html"] else "")
    return {**trigger.model_dump(exclude={"id", "inline_css", *MESSAGE}), **message}


def _token(token: Token) -> Values:
    rights = [right.value for right in Right if right in token.rights]
    values: Values = {
        "rights": rights,
        "expires_at": token.expires,
        "revoked": token.revoked,
        "in_flight": token.in_flight,
        "http_status": token.http_status,
    }
    return values if token.value is None else {**values, "hash": hashed(token.value)}
