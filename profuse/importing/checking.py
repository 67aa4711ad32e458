"""Pure: what the server would say of a profile, by its own rules, as far as that can be known without its stored profiles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from ingest.endpoints.item_shapes import BARE_PROFILE, WITH_PROFILE
from ingest.endpoints.items import Shared, prepare
from ingest.http.scanning import lone_surrogates_as_nul
from profuse_client.encoding import Item, Unsendable, encoded, wrapped
from schemas.addresses import normal_email, normal_phone
from schemas.fields import Field, parse
from schemas.item_errors import ItemFailed, Why
from schemas.matching import MODES, Matching
from schemas.settings import Settings
from schemas.system_fields import SYSTEM_FIELDS


@dataclass(frozen=True)
class Checker:
    """For one database, as `databases/fields_get` shows it, and one way of matching."""

    fields: Mapping[str, Field]
    shared: Shared

    def trouble(self, item: Item) -> str | None:
        """Why the item would fail, or None as far as anybody can tell."""
        try:
            written = encoded(item.data if self.shared.shape is BARE_PROFILE else wrapped(item))
        except Unsendable as reason:
            return str(reason)
        try:
            for name, value in self._taken(written).items():
                self._check_field(name, value)
        except ItemFailed as failed:
            return failed.why.text + (f" ({failed.field})" if failed.field else "")
        return None

    def _taken(self, written: bytes) -> Mapping[str, Any]:
        """The profile as a gateway takes it: dates and decimals are texts there."""
        try:
            return prepare(Raw(lone_surrogates_as_nul(written)), self.shared).data
        except ItemFailed as failed:
            # What is searched by is not known here, where the token may not read it; the gateway looks for it last of all.
            if failed.why is not Why.FIELD_NOT_MATCHED_BY:
                raise
        taken: Mapping[str, Any] = self.shared.shape.parted(json.loads(written)).data
        return taken

    def _check_field(self, name: str, value: Any) -> None:
        # What changes a value, and what has many of its own, only the server can tell.
        if value is None or (isinstance(value, dict) and "action" in value) or name in ("subscriptions", "_id"):
            return
        try:
            if name == "email":
                normal_email(value)
            elif name == "phones":
                for phone in value if isinstance(value, list) else [value]:
                    normal_phone(phone)
            elif (field := SYSTEM_FIELDS.get(name) or self.fields.get(name)) is not None:
                parse(field, value)
        except ItemFailed as failed:
            raise failed.at(name) from None


def checker(shown: Sequence[Mapping[str, Any]], matching: str, field_name: str | None, *, bare: bool) -> Checker:
    """Of the fields as the API shows them, and of limits as they are unless they are set; `bare`: nothing stands beside a profile."""
    own = [field for field in shown if not field["system"]]
    made = {field["name"]: Field(type=field["type"], match=field["match"], options=field.get("options") or []) for field in own}
    mode = MODES[Matching(matching)]
    shared = Shared(
        shape=BARE_PROFILE if bare else WITH_PROFILE,
        database=0,
        matching=Matching(matching),
        roots={},
        own=mode.named(field_name or "", made) if mode.named else None,
        item_limit=_set("item_limit"),
        custom_data_limit=_set("custom_data_limit"),
        placeholders=frozenset(word.casefold() for word in _set("placeholders")),
    )
    return Checker(made, shared)


def _set(name: str) -> Any:
    return Settings.model_fields[name].default
