"""Pure: what the hostile account sends; each act is one request, made with dice."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from profuse.torture.neighbours import ugly
from profuse.torture.neighbours.accounts import HOSTILE_TOKEN, TRIGGER

_PROFILES = 200
_START = "campaigns/triggers/import_and_start_batch"


@dataclass(frozen=True)
class Act:
    """A request: where to, its body, its own headers, and how many items it names (0 where that is not for sure)."""

    path: str
    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    items: int = field(default=0)


Make = Callable[[Random, Sequence[Any]], Act]


def act(dice: Random, corpus: Sequence[Any]) -> Act:
    """One of all kinds; `corpus` are inputs that fuzzers found."""
    kinds, weights = zip(*_KINDS, strict=True)
    make: Make = dice.choices(kinds, weights)[0]
    return make(dice, corpus)


def burst(dice: Random, size: int) -> Act:
    """So many launches that are due at once."""
    return _start([{"data": {"email": f"{dice.randrange(10**9)}@burst.hostile.test"}} for _ in range(size)], skip_triggers=True)


def _fields(dice: Random, __: Sequence[Any]) -> Act:
    """Ordinary profiles with one field of each that is not."""
    items = []
    for _ in range(dice.randint(1, 50)):
        data: dict[str, Any] = {"email": _own(dice), "_fname": dice.choice(ugly.WORDS), "e": dice.choice(("free", "legacy"))}
        data[dice.choice(ugly.FIELDS)] = dice.choice(ugly.LEAVES)
        items.append({"data": data, "custom_data": dice.choice(({}, None, {"n": "x" * 1_000}))})
    return _start(items, **dice.choice(({}, ugly.NULLS, {"detect_geo": True})))


def _inboxes(dice: Random, _: Sequence[Any]) -> Act:
    """Recipients at servers in trouble, those first that answer nobody."""
    inbox = dice.choice(ugly.INBOXES)
    return _start([{"data": {"email": inbox.format(dice.randrange(_PROFILES))}} for _ in range(dice.randint(1, 100))], skip_triggers=True)


def _addresses(dice: Random, _: Sequence[Any]) -> Act:
    return _start([{"data": {"email": dice.choice(ugly.ADDRESSES)}} for _ in range(dice.randint(1, 40))])


def _keys(dice: Random, _: Sequence[Any]) -> Act:
    """Placeholders as match values, of each field that is matched by; strangers must not become one."""
    name = dice.choice("isdeat")
    items = [{"field_value": dice.choice((*ugly.PLACEHOLDERS, "legacy", "Ham, smoked")), "data": {"_fname": "x"}} for _ in range(20)]
    return _start(items, matching="custom", field_name=name)


def _subscriptions(dice: Random, _: Sequence[Any]) -> Act:
    items = [{"data": {"email": _own(dice), "subscriptions": dice.choice(ugly.SUBSCRIPTIONS)}} for _ in range(dice.randint(1, 10))]
    return _start(items, skip_invalid_subscriptions=dice.random() < 0.5)


def _kept(dice: Random, _: Sequence[Any]) -> Act:
    """Values under names that are declared later, records that grow, names of the system."""
    grown = {f"grown_{dice.randrange(100)}": "x" * 200_000}
    kept = {"age": dice.choice((41, "about 40")), "hobbies": dice.choice(([1, 2], ["a"])), "loyalty": "L-1", "since": "soon", "plan": 7}
    system = {"_id": "f" * 24}
    return _start([{"data": {"email": _own(dice), **dice.choice((grown, kept, kept, system))}} for _ in range(10)], trigger=TRIGGER + 1)


def _attachments(dice: Random, _: Sequence[Any]) -> Act:
    return _start([{"data": {"email": _own(dice)}}], attach=dice.choice(ugly.ATTACHMENTS), content={"a": dice.choice(ugly.WORDS)})


def _shared(dice: Random, _: Sequence[Any]) -> Act:
    """What stands once in the request and is held once for each item."""
    items = [{"data": {"email": _own(dice)}} for _ in range(2_000)]
    large = dice.choice(
        ({"custom_data": {"n": "x" * 262_000}}, {"custom_data": {"a": [1e300] * 10_000}}, {"content": {"a": "x" * 300_000}})
    )
    return _start(items, **large)


def _value(_: Random, __: Sequence[Any]) -> Act:
    return _start([{"data": {}}] * 20_000, matching="custom", field_name="s", field_value="v" * 250_000)


def _raw(dice: Random, _: Sequence[Any]) -> Act:
    return Act(_START, dice.choice(ugly.RAW), _bearer() if dice.random() < 0.5 else ())


def _bombs(dice: Random, _: Sequence[Any]) -> Act:
    return Act(_START, _bomb(dice.randrange(len(ugly.BOMBS))), [("Content-Encoding", "gzip")])


def _headers(dice: Random, _: Sequence[Any]) -> Act:
    ids = [("Request-ID", "a"), ("Request-ID", "b")]
    whole = _start([{"data": {"email": _own(dice)}}])
    return Act(whole.path, whole.body, dice.choice((ids, [("Idempotency-Key", "a"), ids[0]], [("Request-ID", "x" * 200)])))


def _mutant(dice: Random, corpus: Sequence[Any]) -> Act:
    """An input of the fuzzers, with some of its parts replaced."""
    if not corpus:
        return _fields(dice, corpus)
    chosen = dice.choice(corpus)
    whole = {**chosen, "token": HOSTILE_TOKEN} if isinstance(chosen, dict) else chosen
    for _ in range(dice.randint(0, 3)):
        whole = mutated(whole, dice)
    return Act(dice.choice((_START, _START, "profiles/get", "tasks/status")), _json(whole))


def _erase(dice: Random, _: Sequence[Any]) -> Act:
    """Of a profile that is being imported."""
    return Act("profiles/delete", _json({"token": HOSTILE_TOKEN, "db_id": 1, "matching": "email_profile", "email": _own(dice)}))


_KINDS: tuple[tuple[Make, float], ...] = (
    (_fields, 30),
    (_inboxes, 10),
    (_mutant, 20),
    (_keys, 6),
    (_kept, 4),
    (_subscriptions, 4),
    (_addresses, 4),
    (_headers, 2),
    (_erase, 10),
    (_raw, 4),
    (_attachments, 2),
    (_shared, 1),
    (_value, 0.5),
    (_bombs, 0.5),
)


def mutated(value: Any, dice: Random) -> Any:
    """The same with one of its parts replaced, at any depth."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        name = dice.choice(sorted(value))
        return {**value, name: mutated(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        at = dice.randrange(len(value))
        return [*value[:at], mutated(value[at], dice), *value[at + 1 :]]
    return dice.choice(ugly.LEAVES)


def _start(items: Sequence[Any], trigger: int = TRIGGER, **root: Any) -> Act:
    whole: Mapping[str, Any] = {"token": HOSTILE_TOKEN, "trigger_id": trigger, "data": items, **root}
    return Act(_START, _json(whole), items=len(items))


def _own(dice: Random) -> str:
    return f"{dice.randrange(_PROFILES)}@hostile.test"


def _bearer() -> Sequence[tuple[str, str]]:
    return [("Authorization", f"Bearer {HOSTILE_TOKEN}")]


def _json(value: Any) -> bytes:
    # The standard library's: it writes lone surrogates, too.
    return json.dumps(value).encode()


@cache
def _bomb(number: int) -> bytes:
    return gzip.compress(ugly.BOMBS[number])
