"""Pure: the call of the API, or the command, that shows or does the same."""

import json
import shlex
from collections.abc import Mapping


def curl(api: str, path: str, body: Mapping[str, object]) -> str:
    """A token is never shown: the shell is to know it."""
    written = json.dumps(body, ensure_ascii=False)
    address = shlex.quote(f"{api}/api/v1.1/{path}")
    return f'curl {address} --header "Authorization: Bearer $PROFUSE_TOKEN" --data {shlex.quote(written)}'
