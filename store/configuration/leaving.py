"""Pure: what keeps a trigger's messages from leaving, told before the first one is due."""

from collections.abc import Iterator, Mapping

from schemas.channels import CHANNELS, MESSAGE
from store.configuration import messaging
from store.configuration.model import Key, Kind, Values, Wanted


def of_provider(key: Key, thing: Wanted, things: Mapping[Key, Values]) -> Iterator[str]:
    """A line each: the place in the file, and the reason."""
    values = thing.values
    by_http = CHANNELS[values["channel"]].by_provider
    if not messaging.fits(by_http, values["url"]):
        yield f"{thing.path}.url: a provider of channel {values['channel']} has an address of {'http or https' if by_http else 'smtp'}"
    if by_http and not values["secrets"]:
        yield f"{thing.path}.secrets: without one the receiver cannot know that a message is yours"
    if not by_http and values["secrets"]:
        yield f"{thing.path}.secrets: a mail server takes none; its user and password stand in the url"
    # A trigger of before would not know which of them to use.
    others = [each.id for each, row in _choice(key.account, values["channel"], things) if each != key]
    if values["active"] and others:
        undecided = [
            each.id
            for each, row in things.items()
            if each.kind is Kind.TRIGGER and each.account == key.account and row["channel"] == values["channel"] and not row.get("provider")
        ]
        if undecided:
            yield f"{thing.path}: beside {others[0]}, trigger {undecided[0]} has to say which `provider` it leaves by"


def of_trigger(key: Key, thing: Wanted, things: Mapping[Key, Values]) -> Iterator[str]:
    """The same."""
    yield from _unfit_message(thing)
    values = thing.values
    row = CHANNELS[values["channel"]]
    if row.keys and row.own is None and (values["resource"] is None or values["unconditional_sending"]):
        yield f"{thing.path}.resource: a profile has no address of its own for {values['channel']}; name a resource to subscribe to"
    yield from _unfit_providers(key, thing, things)


def _unfit_message(thing: Wanted) -> Iterator[str]:
    channel = thing.values["channel"]
    row = CHANNELS[channel]
    for name in MESSAGE:
        given = thing.values[name]
        if name in row.needs and not given:
            yield f"{thing.path}.{name}: a trigger of channel {channel} must have it"
        if name not in (*row.needs, *row.may) and given:
            yield f"{thing.path}.{name}: a trigger of channel {channel} has none"


def _unfit_providers(key: Key, thing: Wanted, things: Mapping[Key, Values]) -> Iterator[str]:
    channel = thing.values["channel"]
    for name in thing.values["provider"] or ():
        provider = things.get(Key(Kind.PROVIDER, key.account, name))
        if provider is None:
            yield f"{thing.path}.provider: account {key.account} has no provider {name}"
        elif provider["channel"] != channel:
            yield f"{thing.path}.provider: the channel of {name} is {provider['channel']}, the trigger's is {channel}"
    if thing.values["provider"]:
        return
    names = [each.id for each, _ in _choice(key.account, channel, things)]
    if len(names) > 1:
        yield f"{thing.path}.provider: must be one of {', '.join(map(str, names))}, or several in the order in which they are tried"
    if not names and CHANNELS[channel].by_provider:
        yield f"{thing.path}.provider: account {key.account} has no provider of channel {channel}; add one to `providers`"


def _choice(account: int, channel: str, things: Mapping[Key, Values]) -> Iterator[tuple[Key, Values]]:
    for key, values in things.items():
        if key.kind is Kind.PROVIDER and key.account == account and values["channel"] == channel and values["active"]:
            yield key, values
