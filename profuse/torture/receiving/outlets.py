"""Pure: where the accounts' webhooks and events go, as `apply` reads it; and what whoever is there may be like."""

from enum import StrEnum

from profuse.torture import blocks
from profuse.torture.account import ACCOUNT, CALLED
from profuse.torture.neighbours.accounts import HOSTILE, POLITE

# Of a stack that lives for one run: of the provider, and of all hooks.
PROVIDER, HOOK = "whsec_" + "cHJvdmlkZXIh" * 3, "whsec_" + "YWxsIGhvb2tz" * 3
# Seconds that an answer is waited for; whoever hangs takes longer.
PATIENCE = 10
_NAMES = {ACCOUNT: "torture", HOSTILE: "hostile", POLITE: "polite"}


class Mood(StrEnum):
    """How the receiver answers about half of what it gets; the rest it takes."""

    WELL = "well"
    REFUSES = "refuses"
    LIMITS = "limits"
    HANGS = "hangs"


def file(url: str) -> str:
    """To be applied after the accounts' own."""
    patience, body = f"timeout = {PATIENCE}", '{"profile": "{lead._id}"}'
    called = blocks.webhooks("caller", f"{url}/launch", PROVIDER, patience, CALLED, "Called", body)
    return "".join(_account(account, name, url) + (called if account == ACCOUNT else "") for account, name in _NAMES.items())


def _account(account: int, name: str, url: str) -> str:
    return f"""
[[accounts]]
id = {account}
name = "{name}"

[[accounts.hooks]]
name = "all"
url = "{url}/hook/{account}"
secrets = ["{HOOK}"]
timeout = {PATIENCE}
"""
