"""Addresses without the passwords in them."""

import re

# Up to the last @ before a query: a password may hold one itself, or a : or /.
_PASSWORD = re.compile(r"(?P<before>://[^:/?#@]*:)[^?]+(?=@)|(?P<named>[?&](?:ssl)?password=)[^&]+")


def masked(url: str) -> str:
    return _PASSWORD.sub(lambda found: f"{found['before'] or found['named']}***", url)
