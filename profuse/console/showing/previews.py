"""Pure: a mail's HTML for a browser that is to look at it, and to connect to nobody."""

import re

# A browser connects for these before, or whatever, the policy of the page says: `rel=preconnect`, and what a frame would hold.
_CONNECTING = re.compile(r"<(?:link|i?frame|object|embed|portal|fencedframe)", re.IGNORECASE)
# Has no content and may stand wherever a link may, so that all else stays in its place; no browser does anything with it.
_NOTHING = "<basefont"


def unconnected(html: str) -> str:
    """By the text, not by a parser, which might see other tags than a browser does."""
    return _CONNECTING.sub(_NOTHING, html)
