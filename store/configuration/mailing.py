"""Pure: whether mails can come from a sender, asked before the first one is due."""

from schemas import mailboxes
from schemas.addresses import normal_email
from schemas.item_errors import ItemFailed


def sender(given: str) -> str:
    """The sender as it is stored, with its domain in A-labels; raises `ValueError` if no mail can come from it."""
    _, address = mailboxes.parted(given)
    try:
        domain = normal_email(address).rpartition("@")[2]
    except ItemFailed:
        raise ValueError('must be an address like "Demo <demo@example.com>"') from None
    before, _, after = given.rpartition(address)
    stored = f"{before}{address.rpartition('@')[0]}@{domain}{after}"
    if not mailboxes.usable(mailboxes.parted(stored)[1]):
        raise ValueError("no mail can come from it: address cannot be used")
    return stored
