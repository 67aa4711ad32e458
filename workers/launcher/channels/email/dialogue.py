"""One mail through one connection, stage by stage, each with the patience that RFC 5321 asks for."""

import re

import aiosmtplib

from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.channels.email import blocks
from workers.launcher.channels.email.mail import Mail
from workers.launcher.channels.email.replies import CLOSING, Stage, refusal

# Seconds, of RFC 5321, 4.5.3.2.
_COMMAND = 300.0
_DATA = 120.0
_BLOCK = 180.0
_FINAL = 600.0

_LINE_END = re.compile(rb"\r\n|\r|\n")

# First digits of answers, which are what counts: RFC 5321, 4.2.1.
_DONE = 2
_GO_ON = 3
_REFUSED = (4, 5)


class Broken(Exception):
    """The connection ends, before the server knew of a recipient or because it says so: it may be this connection's trouble alone.

    `crowded`: the server said so; it may want fewer.
    """

    def __init__(self, why: str, *, crowded: bool = False) -> None:
        super().__init__(why)
        self.crowded = crowded


async def deliver(connection: aiosmtplib.SMTP, mail: Mail) -> None:
    """Returns when the server has taken the mail.

    Raises `Rejected`, `Deferred` and `Unavailable` for what it answers, and `Broken`. The connection is closed unless it can be used again.
    """
    sure = False
    try:
        await _envelope(connection, mail)
        await _content(connection, mail)
        sure = True
    except (Rejected, Deferred):
        sure = await _reset(connection)
        raise
    finally:
        # Half a dialogue: whoever used it next would read our answers.
        if not sure:
            connection.close()


async def _envelope(connection: aiosmtplib.SMTP, mail: Mail) -> None:
    # Only addresses can hold other letters than ASCII's: all else is encoded.
    wide = not (mail.sender + mail.recipient).isascii()
    if wide and not connection.supports_extension("SMTPUTF8"):
        raise Rejected("address cannot be used: the mail server takes ASCII only")
    options = [b"SMTPUTF8"] if wide else []
    if connection.supports_extension("SIZE"):
        options.append(b"SIZE=%d" % (len(mail.content) + sum(map(len, mail.enclosed))))
    # The library's own commands parse each address once more, which is a tenth of what a mail costs.
    try:
        await _command(connection, Stage.SENDER, mail, b"MAIL", b"FROM:<%b>" % mail.sender.encode(), *options)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Broken(type(error).__name__) from error
    try:
        await _command(connection, Stage.RECIPIENT, mail, b"RCPT", b"TO:<%b>" % mail.recipient.encode())
    except (aiosmtplib.SMTPException, OSError) as error:
        # Perhaps this recipient breaks it each time: an attempt, so that it has an end.
        raise Deferred(type(error).__name__) from error


async def _command(connection: aiosmtplib.SMTP, stage: Stage, mail: Mail, *words: bytes) -> None:
    """Raises what a server means that answers otherwise than "go on", and what the library says of a connection that ends."""
    try:
        code, message = await connection.execute_command(*words, timeout=_COMMAND)
    except aiosmtplib.SMTPResponseException as error:
        # What came is no reply.
        raise _answered(stage, error.code, error.message, mail) from error
    if code // 100 != _DONE:
        raise _answered(stage, code, message, mail)


async def _content(connection: aiosmtplib.SMTP, mail: Mail) -> None:
    in_doubt = False
    try:
        code, message = await connection.execute_command(b"DATA", timeout=_DATA)
        if code // 100 != _GO_ON:
            # A yes, too: the server has nothing yet.
            raise _answered(Stage.CONTENT, code, message, mail)
        # Until the final dot is on its way the server cannot have taken it.
        rest = await blocks.write(connection, [_quoted(mail.content), *mail.enclosed], _BLOCK)
        ended = blocks.end(connection, rest + b".\r\n", _FINAL)
        in_doubt = True
        code, message = await ended
    except aiosmtplib.SMTPResponseException as error:
        # What came is no reply.
        raise Deferred(f"SMTP {error.code}", in_doubt=in_doubt) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Deferred(type(error).__name__, in_doubt=in_doubt) from error
    if code // 100 not in (_DONE, *_REFUSED):
        # It may mean anything.
        raise Deferred(f"SMTP {code}", in_doubt=True)
    if code // 100 != _DONE:
        raise _answered(Stage.CONTENT, code, message, mail)


def _answered(stage: Stage, code: int, message: str, mail: Mail) -> Exception:
    return Broken(f"SMTP {code}", crowded=True) if code == CLOSING else refusal(stage, code, message, mail.sender)


def _quoted(content: bytes) -> bytes:
    """A line that begins with a dot could end the mail; so could one that ends otherwise than lines do."""
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        content = _LINE_END.sub(b"\r\n", content)
    quoted = content.replace(b"\r\n.", b"\r\n..")
    quoted = b"." + quoted if quoted.startswith(b".") else quoted
    return quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"


async def _reset(connection: aiosmtplib.SMTP) -> bool:
    """Whether the connection is fit for the next mail."""
    try:
        await connection.rset(timeout=_COMMAND)
    except (aiosmtplib.SMTPException, OSError):
        return False
    return connection.is_connected
