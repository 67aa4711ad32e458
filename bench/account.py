"""Pure: the account that is measured, as `apply` reads it, and the profiles that it is sent."""

from typing import Any

from profuse.torture.blocks import message, resource, trigger

TOKEN = "bench-token-0123456789"  # noqa: S105  # of a stack that lives for one run
OTHER_TOKEN = f"{TOKEN}-other"
TRIGGER = 1
PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch"
TASK_PATH = f"{PATH}_task"
IMPORT_PATH = "/api/v1.1/profiles/import_batch"

# A version goes into one of so many fields, so that most updates leave some fields alone.
_FIELDS = ("mark_0", "mark_1", "mark_2")
# One profile of so many gets a phone and a subscription, and so its launches are mails; the others are skipped.
_MAILED = 50
_RESOURCE = 24
_VERSION = "Version {lead.version}"
_DECLARED = "\n".join(f'{field} = "int"' for field in ("version", *_FIELDS))

FILE = f"""
[[accounts]]
id = 1
name = "bench"
tokens = [{{ name = "producer", value = "{TOKEN}" }}, {{ name = "other", value = "{OTHER_TOKEN}" }}]

[[accounts.databases]]
id = 1
name = "Customers"
[accounts.databases.fields]
name = {{ type = "string", match = true }}
{_DECLARED}
{resource(_RESOURCE)}{trigger(TRIGGER, "Welcome", f"resource = {_RESOURCE}", message("bench", _VERSION, _VERSION))}"""


def data(profile: int, version: int) -> dict[str, Any]:
    """A version of a profile."""
    email = f"0-{profile}@bench.test"
    data: dict[str, Any] = {"email": email, "version": version, _FIELDS[version % len(_FIELDS)]: version}
    if profile % _MAILED == 0:
        data |= {"phones": f"+790{profile:06}", "subscriptions": [{"resource_id": _RESOURCE, "email": email}]}
    return data
