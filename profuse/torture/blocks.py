"""Pure: blocks of the file that `apply` reads, as the accounts of torture, of the benchmarks and of tests have them alike."""


def resource(number: int, name: str = "Newsletter", channel: str = "email") -> str:
    """One of the database 1."""
    return f"""
[[accounts.resources]]
id = {number}
name = "{name}"
channel = "{channel}"
database = 1
"""


def trigger(number: int, name: str, to: str, message: str, kind: str = "api_call", database: int = 1, channel: str = "email") -> str:
    """A campaign, of mails; `to` and `message` are its lines of who gets them, and of what they say."""
    return f"""
[[accounts.triggers]]
id = {number}
name = "{name}"
type = "{kind}"
database = {database}
channel = "{channel}"
{to}
{message}
"""


def webhooks(name: str, url: str, secret: str, also: str, campaign: int, campaigns_name: str, body: str) -> str:
    """A provider, with further lines of its own, and a campaign that leaves by it; `body` is JSON, which holds no single quote."""
    provider = f"""
[[accounts.providers]]
name = "{name}"
channel = "webhook"
url = "{url}"
secrets = ["{secret}"]
{also}
"""
    return provider + trigger(campaign, campaigns_name, "", f"body = '{body}'", channel="webhook")


def message(sender: str, subject: str, html: str) -> str:
    return f'sender = "{sender.title()} <sender@{sender}.test>"\nsubject = "{subject}"\nhtml = "<p>{html}</p>"'
