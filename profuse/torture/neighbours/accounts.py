"""Pure: what the two are applied; the hostile one's declaration changes all the time."""

from profuse.torture.blocks import message, resource, trigger
from schemas.tokens import Right

HOSTILE, POLITE = 2, 3
HOSTILE_TOKEN, POLITE_TOKEN = "hostile-token-0123456789", "polite-token-0123456789"  # of a stack that lives for one run
# A number that many inputs of the fuzzers name.
TRIGGER = 8
# Declared one after the other, over values that clients have kept under these names.
_LATER = ('age = "int"', 'hobbies = "tags"', 'loyalty = "string"', 'since = "date"', 'plan = { type = "enum", options = ["a", "b"] }')
_TO = "unconditional_sending = true"
_NEWLINE = "\n"
_RIGHTS = ", ".join(f'"{right.value}"' for right in Right)


def hostile(turn: int) -> str:
    """Options are retired and return, and one field more is declared with each turn."""
    legacy = ', "legacy"' if turn % 2 == 0 else ""
    return f"""
[[accounts]]
id = {HOSTILE}
name = "hostile"
tokens = [{{ name = "producer", value = "{HOSTILE_TOKEN}", rights = [{_RIGHTS}] }}]

[[accounts.databases]]
id = 1
name = "Declared"
[accounts.databases.fields]
i = {{ type = "int", match = true }}
f = "float"
s = {{ type = "string", match = true }}
b = "boolean"
d = {{ type = "date", match = true }}
e = {{ type = "enum", options = ["free", "pro"{legacy}], match = true }}
a = {{ type = "ip", match = true }}
t = {{ type = "tags", match = true }}
o = "object"
l = "arr_object"

[[accounts.databases]]
id = 2
name = "Kept"
unknown_fields = "keep"
[accounts.databases.fields]
{_NEWLINE.join(_LATER[:turn])}
{resource(24)}{resource(25, "Texts", "sms")}{_TRIGGERS}"""


_KINDS = ((TRIGGER, 1, "api_call"), (TRIGGER + 1, 2, "api_call"), (TRIGGER + 2, 1, "api_import"), (TRIGGER + 3, 1, "update"))
_TOLD = message("hostile", "Hello {lead._fname} {apicontent.a}", "{lead._fname} {lead.s} {lead.o}")
_TRIGGERS = "".join(trigger(number, f"{kind} {number}", _TO, _TOLD, kind, database) for number, database, kind in _KINDS)

POLITE_FILE = f"""
[[accounts]]
id = {POLITE}
name = "polite"
tokens = [{{ name = "producer", value = "{POLITE_TOKEN}" }}]

[[accounts.databases]]
id = 1
name = "Customers"
{trigger(TRIGGER, "Welcome", _TO, message("polite", "Hello {lead._fname}", "Hello {lead._fname}"))}"""
