"""Pure: the account whose every item is counted, as `apply` reads it."""

from profuse.torture.blocks import message, resource, trigger
from profuse.torture.model import COUNTER, FIELDS, MARKS, NEWSLETTER

TOKEN = "torture-token-0123456789"  # noqa: S105  # of a stack that lives for one run
ACCOUNT = 1
# What a request starts, what each import starts, and what each change starts; what a request starts that leaves by webhook.
WELCOME, IMPORTED, CHANGED, CALLED = 1, 2, 3, 4

_FIELDS = "\n".join(f'{field} = "int"' for field in ("version", "refused", COUNTER, *FIELDS))
_MESSAGE = message("torture", "Version {lead.version}", "Page {apicontent.page}")
_TRIGGERS = ((WELCOME, "Welcome", "api_call"), (IMPORTED, "Imported", "api_import"), (CHANGED, "Changed", "update"))

FILE = f"""
[[accounts]]
id = {ACCOUNT}
name = "torture"
tokens = [{{ name = "producer", value = "{TOKEN}" }}]

[[accounts.databases]]
id = 1
name = "Customers"
unknown_fields = "keep"
[accounts.databases.fields]
code = {{ type = "string", match = true }}
labels = {{ type = "tags", match = true }}
{_FIELDS}
{resource(NEWSLETTER)}{resource(MARKS, "Marks")}
{"".join(trigger(number, name, f"resource = {NEWSLETTER}", _MESSAGE, kind) for number, name, kind in _TRIGGERS)}"""
