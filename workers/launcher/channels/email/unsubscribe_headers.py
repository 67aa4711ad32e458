"""Pure: the headers by which a reader's program unsubscribes with one click (RFC 8058)."""

# What they look like; a mail whose trigger has no resource has none.
ALLOWED = rb"(?:List-Unsubscribe: <[!-~]+>\r\n(?:List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n)?)?"


def unsubscribe_headers(link: str | None) -> list[bytes]:
    """Without a page, which the standard allows over an encrypted connection only."""
    if link is None:
        return []
    one_click = [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if link.startswith("https:") else []
    return [f"List-Unsubscribe: <{link}>".encode(), *one_click]
