"""Pure: files as the parts of a mail that follow its text; the same bytes for every recipient.

No line of them begins with a dot, so they may be sent as they are.
"""

import re

from schemas.mimetypes import MIMETYPE
from workers.launcher.channels.email import bodies, header_encoding

# An underscore follows no `=` in quoted-printable, and is no letter of base64: no line of any part looks like this one.
BOUNDARY = "=_profuse"
END = f"--{BOUNDARY}--\r\n".encode()
# Bytes that are encoded at a time; whole lines, so that slices can follow one another.
SLICE = bodies.BYTES_A_LINE * 65_536

# A multipart in whichever letters may not be encoded: one that comes as a file is only bytes, as is what has too long a name for a type.
_TYPE = re.compile(rf"(?!(?i:multipart|message)/){MIMETYPE}")
# More than any head of a part has, around the name.
_HEAD = 512


def head(name: str, mimetype: str) -> bytes:
    """What stands before a file's encoded bytes."""
    kind = mimetype if _TYPE.fullmatch(mimetype) else "application/octet-stream"
    tokens = ["attachment", *header_encoding.file_name(name)]
    place = header_encoding.folded("Content-Disposition", [f"{token};" for token in tokens[:-1]] + tokens[-1:])
    return b"--%b\r\nContent-Type: %b\r\nContent-Transfer-Encoding: base64\r\n%b\r\n\r\n" % (BOUNDARY.encode(), kind.encode(), place)


def encoded(data: bytes) -> bytes:
    """A slice of a file. An empty file is an empty line, or its head would have no end."""
    return bodies.base64(data) or b"\r\n"


def weight(name: str, size: int) -> int:
    """At least as many bytes as the part of such a file has."""
    return _HEAD + 16 * len(name) + (size // bodies.BYTES_A_LINE + 1) * (bodies.LINE + 2)
