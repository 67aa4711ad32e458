"""A strict reader of mails, written after RFC 5322, 2045, 2046, 2047 and 2231; it forgives nothing."""

import re
from base64 import b64decode
from binascii import a2b_qp
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_FIELD = re.compile(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)")
_WORD = re.compile(r"=\?([^\s?]+)\?([bBqQ])\?([!->@-~]*)\?=")
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_MAILBOX = re.compile(r"(?:(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<phrase>[^\"<>]*?)) ?<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s]+)")
_PARAMETER = re.compile(r";[ \t]*([!#$%&+.^_`{|}~\w-]+(?:\*[0-9]+)?\*?)=(\"(?:[^\"\\]|\\.)*\"|[^\s;\"]+)", re.ASCII)


@dataclass(frozen=True)
class Part:
    """A part of a mail, or all of it; `headers` are unfolded, in their order."""

    headers: list[tuple[str, str]]
    body: bytes

    def names(self) -> list[str]:
        return [name for name, _ in self.headers]

    def raw(self, wanted: str) -> str:
        (value,) = [value for name, value in self.headers if name.lower() == wanted.lower()]
        return value

    def text(self, wanted: str) -> str:
        """An unstructured header as a reader shows it."""
        return decoded(self.raw(wanted))

    def mailbox(self, wanted: str) -> tuple[str, str]:
        """Display name and address."""
        parts = _MAILBOX.fullmatch(self.raw(wanted))
        assert parts is not None, self.raw(wanted)
        if parts["bare"] is not None:
            return "", parts["bare"]
        if parts["quoted"] is not None:
            return _unquoted(parts["quoted"]), parts["address"]
        words = parts["phrase"].split()
        assert all(_WORD.fullmatch(word) or re.fullmatch(_ATOM, word, re.ASCII) for word in words), words
        return decoded(parts["phrase"]), parts["address"]

    def parameters(self, wanted: str) -> tuple[str, dict[str, str]]:
        value = self.raw(wanted)
        first, found, at = value.split(";")[0], dict[str, str](), len(value.split(";")[0])
        while at < len(value):
            parameter = _PARAMETER.match(value, at)
            assert parameter is not None, value[at:]
            assert parameter[1] not in found
            found[parameter[1]] = parameter[2]
            at = parameter.end()
        return first, _joined(found)

    def file_name(self) -> str | None:
        return self.parameters("Content-Disposition")[1].get("filename")

    def data(self) -> bytes:
        """The body without its transfer encoding."""
        assert max(len(line) for line in self.body.split(b"\r\n")) <= 76
        match self.raw("Content-Transfer-Encoding"):
            case "base64":
                return b64decode(self.body.replace(b"\r\n", b""), validate=True)
            case "quoted-printable":
                assert re.fullmatch(rb"(?:[\t !-<>-~]|=[0-9A-F]{2}|=?\r\n)*", self.body)
                assert not re.search(rb"[\t ]\r\n", self.body)
                return a2b_qp(self.body)
        raise AssertionError(self.raw("Content-Transfer-Encoding"))

    def html(self) -> str:
        """The text of the mail, whether or not it has files."""
        part = self.parts()[0] if self.raw("Content-Type").startswith("multipart/") else self
        assert part.parameters("Content-Type") == ("text/html", {"charset": "utf-8"})
        return part.data().decode().removesuffix("\r\n").replace("\r\n", "\n")

    def files(self) -> list["Part"]:
        return self.parts()[1:] if self.raw("Content-Type").startswith("multipart/") else []

    def parts(self) -> list["Part"]:
        kind, parameters = self.parameters("Content-Type")
        assert kind == "multipart/mixed"
        edge = b"\r\n--" + parameters["boundary"].encode()
        first, *parts, end = (b"\r\n" + self.body).split(edge)
        assert (first, end) == (b"", b"--\r\n")
        return [read(part.removeprefix(b"\r\n")) for part in parts]


def read(mail: bytes) -> Part:
    """The mail, if each of its bytes stands where it may."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", mail)
    head, _, body = mail.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        assert line.strip(b" \t"), "a line of blanks"
        assert len(line) <= (76 if b"=?" in line else 998), line
    headers, at = [], 0
    while at < len(head):
        field = _FIELD.match(head, at)
        assert field is not None, head[at:]
        headers.append((field[1].decode("ascii"), field[2].replace(b"\r\n", b"").decode().removeprefix(" ")))
        at = field.end() + len(b"\r\n")
    return Part(headers, body)


def decoded(value: str) -> str:
    """What RFC 2047 makes of a value: blanks between two encoded words are no text, all others are."""
    shown, after_word = "", False
    for blank, token in re.findall(r"([ \t]*)([^ \t]+|$)", value):
        word = _WORD.fullmatch(token)
        assert word is not None or "=?" not in token, token
        shown += ("" if word and after_word else blank) + (_decoded_word(word) if word else token)
        after_word = word is not None
    return shown


def _decoded_word(word: re.Match[str]) -> str:
    assert len(word[0]) <= 75
    charset, encoding, letters = word.groups()
    assert charset.lower() == "utf-8"
    data = b64decode(letters, validate=True) if encoding in "bB" else a2b_qp(letters.encode(), header=True)
    return data.decode("utf-8")


def _joined(found: dict[str, str]) -> dict[str, str]:
    """Parameters whose sections are put together (RFC 2231), each extended one decoded in its charset."""
    values: dict[str, bytes] = {}
    for name, value in found.items():
        plain, number, extended = re.fullmatch(r"([^*]+)(?:\*([0-9]+))?(\*?)", name).groups()  # type: ignore[union-attr]
        if number is not None:
            assert int(number) == sum(each.startswith(f"{plain}*") for each in list(found)[: list(found).index(name)])
        if extended and not (number and int(number)):
            charset, _language, value = value.split("'")
            assert charset == "utf-8"
        # It is none there, but many readers take it for an encoded word.
        assert "=?" not in value, value
        given = unquote_to_bytes(value) if extended else _unquoted(value).encode()
        values[plain] = values.get(plain, b"") + given
    return {name: value.decode() for name, value in values.items()}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
