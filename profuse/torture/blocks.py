"""Pure: blocks of the file that `apply` reads, as the accounts of torture and of the benchmarks have them alike."""


def resource(number: int, name: str = "Newsletter", channel: str = "email") -> str:
    """One of the database 1."""
    return f"""
[[accounts.resources]]
id = {number}
name = "{name}"
channel = "{channel}"
database = 1
"""


def trigger(number: int, name: str, to: str, message: str, kind: str = "api_call", database: int = 1) -> str:
    """A campaign of mails; `to` and `message` are its lines of who gets them, and of what they say."""
    return f"""
[[accounts.triggers]]
id = {number}
name = "{name}"
type = "{kind}"
database = {database}
channel = "email"
{to}
{message}
"""


def message(sender: str, subject: str, html: str) -> str:
    return f'sender = "{sender.title()} <sender@{sender}.test>"\nsubject = "{subject}"\nhtml = "<p>{html}</p>"'
