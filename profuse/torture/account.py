"""Pure: the account whose every item is counted, as `apply` reads it."""

from profuse.torture.model import FIELDS, MARKS, NEWSLETTER

TOKEN = "torture-token-0123456789"  # noqa: S105  # of a stack that lives for one run
ACCOUNT = 1
# What a request starts, what each import starts, and what each change starts.
WELCOME, IMPORTED, CHANGED = 1, 2, 3

_FIELDS = "\n".join(f'{field} = "int"' for field in ("version", "refused", *FIELDS))
_MESSAGE = f"""database = 1
channel = "email"
active = true
resource = {NEWSLETTER}
sender = "Torture <sender@torture.test>"
subject = "Version {{lead.version}}"
html = "<p>Page {{apicontent.page}}</p>"
"""

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

[[accounts.resources]]
id = {NEWSLETTER}
name = "Newsletter"
channel = "email"
database = 1

[[accounts.resources]]
id = {MARKS}
name = "Marks"
channel = "email"
database = 1

[[accounts.triggers]]
id = {WELCOME}
name = "Welcome"
type = "api_call"
{_MESSAGE}
[[accounts.triggers]]
id = {IMPORTED}
name = "Imported"
type = "api_import"
{_MESSAGE}
[[accounts.triggers]]
id = {CHANGED}
name = "Changed"
type = "update"
{_MESSAGE}
"""
