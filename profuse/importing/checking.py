"""Pure: what the server would say of a profile, as far as that can be known without it: its match value, its fields and their values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from profuse_client.encoding import Item, Unsendable, encoded
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
    matching: Matching
    field_name: str | None

    def trouble(self, item: Item) -> str | None:
        """Why the item would fail, or None as far as anybody can tell."""
        try:
            item = _sent(item)
        except Unsendable as reason:
            return str(reason)
        try:
            self._check_size(item)
            self._check_match_value(item)
            for name, value in item.data.items():
                self._check_field(name, value)
        except ItemFailed as failed:
            return failed.why.text + (f" ({failed.field})" if failed.field else "")
        return None

    def _check_size(self, item: Item) -> None:
        try:
            size = len(msgspec.json.encode(item.data))
        except UnicodeEncodeError:
            return
        if size > Settings.model_fields["item_limit"].default:
            raise ItemFailed(Why.ITEM_TOO_LARGE)

    def _check_match_value(self, item: Item) -> None:
        mode = MODES[self.matching]
        own = mode.named(self.field_name or "", self.fields) if mode.named else None
        if mode.named and own is None:
            return
        found = {}
        for part in mode.parts:
            name, held = part.held(item.data, own)
            value = item.keys.get(part.key) or held
            if value not in (None, ""):
                try:
                    found[part.key] = part.normal(value, own)
                except ItemFailed as failed:
                    raise failed.at(name) from None
        mode.together(found)

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


def _sent(item: Item) -> Item:
    """As the server reads it: dates and decimals are texts there."""
    return Item(*(json.loads(encoded(part)) for part in (item.data, item.custom_data, item.keys)))


def checker(shown: Sequence[Mapping[str, Any]], matching: str, field_name: str | None) -> Checker:
    """Of the fields as the API shows them."""
    own = [field for field in shown if not field["system"]]
    made = {field["name"]: Field(type=field["type"], match=field["match"], options=field.get("options") or []) for field in own}
    return Checker(made, Matching(matching), field_name)
