"""How a media type is written."""

# RFC 6838, 4.2: a longer one would be a line of a mail's header that its server may not take.
_NAME = r"[A-Za-z0-9!#$&^_.+\-]{1,127}"
MIMETYPE = f"{_NAME}/{_NAME}"
