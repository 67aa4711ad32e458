"""Addresses without the passwords in them."""

import re

_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)|(?<=[?&]password=)[^&]+|(?<=[?&]sslpassword=)[^&]+")


def masked(url: str) -> str:
    return _PASSWORD.sub("***", url)
