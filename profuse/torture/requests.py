"""Pure: a request as bytes."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from profuse.torture.account import CALLED, TOKEN, WELCOME
from profuse.torture.model import Item, Key, Request

FILE = "marks.txt"
_MATCHING: Mapping[Key, Mapping[str, str]] = {
    Key.EMAIL: {"matching": "email"},
    Key.PHONE: {"matching": "phone"},
    Key.CODE: {"matching": "custom", "field_name": "code"},
    Key.LABEL: {"matching": "custom", "field_name": "labels"},
}


def content_of(request: Request) -> bytes:
    """Of the file that goes with its mails."""
    return request.id.encode()


def body(request: Request, minutes: int) -> bytes:
    """Its launches wait so many minutes."""
    root: dict[str, Any] = {
        "token": TOKEN,
        "trigger_id": CALLED if request.by_webhook else WELCOME,
        "timeout": {"minutes": minutes},
        "skip_triggers": request.skip_triggers,
        "custom_data": {"request": request.id, "number": -1},
        **_MATCHING[request.key],
    }
    if request.has_files:
        file = b64encode(content_of(request)).decode()
        root |= {"content": {"page": request.id}, "attach": {"name": FILE, "data": f"data:text/plain;base64,{file}"}}
    return msgspec.json.encode(root | {"data": [_item(item) for item in request.items]})


def _item(item: Item) -> dict[str, Any]:
    whole: dict[str, Any] = {"data": item.data()}
    if item.key is Key.LABEL:
        whole["field_value"] = item.sought[1]
    if custom_data := item.custom_data():
        whole["custom_data"] = custom_data
    return whole
