"""Pure: whether mails can come from a sender, asked before the first one is due."""

from schemas import mailboxes
from schemas.addresses import normal_email
from schemas.item_errors import ItemFailed


def sender(given: str) -> str:
    """The sender in its one spelling, with its domain in A-labels; raises `ValueError` if no mail can come from it."""
    name, address = mailboxes.parted(given)
    try:
        domain = normal_email(address).rpartition("@")[2]
    except ItemFailed:
        raise ValueError('must be an address like "Demo <demo@example.com>"') from None
    address = f"{address.rpartition('@')[0]}@{domain}"
    if not mailboxes.usable(address):
        raise ValueError("no mail can come from it: address cannot be used")
    return mailboxes.written(name, address)
