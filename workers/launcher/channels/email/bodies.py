"""Pure: bytes as the lines that a mail's body may hold."""

import binascii

# Characters of a line in base64, and what they stand for.
LINE = 76
BYTES_A_LINE = 57


def base64(data: bytes) -> bytes:
    encoded = binascii.b2a_base64(data, newline=False)
    return b"".join([encoded[at : at + LINE] + b"\r\n" for at in range(0, len(encoded), LINE)])


def text(written: str) -> tuple[bytes, bytes]:
    """The encoding's name, and the text in it: legible where most of it is ASCII, else short."""
    # A mail's text has one kind of line end, and it is not left to the sender.
    data = written.replace("\r\n", "\n").replace("\r", "\n").encode()
    if len(data) - len(written) > len(data) // 8:
        return b"base64", base64(data.replace(b"\n", b"\r\n"))
    return b"quoted-printable", binascii.b2a_qp(data).replace(b"\n", b"\r\n") + b"\r\n"
