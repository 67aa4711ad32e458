"""What the stack under torture is applied: one account with one trigger."""

from profuse.torture.model import FIELDS, RESOURCE

TOKEN = "torture-token-0123456789"  # noqa: S105  # of a stack that lives for one run
TRIGGER = 1

_FIELDS = "\n".join(f'{field} = "int"' for field in ("version", *FIELDS))

FILE = f"""
[[accounts]]
id = 1
name = "torture"
tokens = [{{ name = "producer", value = "{TOKEN}" }}]

[[accounts.databases]]
id = 1
name = "Customers"
[accounts.databases.fields]
{_FIELDS}

[[accounts.resources]]
id = {RESOURCE}
name = "Newsletter"
channel = "email"
database = 1

[[accounts.triggers]]
id = {TRIGGER}
name = "Welcome"
type = "api_call"
database = 1
channel = "email"
active = true
resource = {RESOURCE}
sender = "Torture <sender@torture.test>"
subject = "Version {{lead.version}}"
html = "<p>Version {{lead.version}}</p>"
"""
