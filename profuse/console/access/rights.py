"""Pure: what a log-in allows, and what keeps others from using it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum


class Rights(StrEnum):
    """Of a console token; stored, so a word never changes its meaning."""

    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True)
class Session:
    """Somebody who has logged in."""

    name: str
    rights: Rights
    # What every form of theirs carries, and no other site can know.
    csrf: str

    @property
    def may_act(self) -> bool:
        return self.rights is Rights.OPERATE


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def csrf_of(secret: str) -> str:
    """Of a session's secret, which it does not betray."""
    return hmac.new(secret.encode(), b"profuse console form", hashlib.sha256).hexdigest()


def is_same(given: str, wanted: str) -> bool:
    """In constant time, whatever text is given."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def comes_from_us(host: str, origin: str | None, fetch_site: str | None) -> bool:
    """Whether a request that changes something was sent by a page of ours, as far as its browser tells."""
    if fetch_site not in (None, "same-origin", "none"):
        return False
    return origin is None or origin in (f"http://{host}", f"https://{host}")


def cookie_name(host: str) -> str:
    # Cookies know no ports: two consoles of one machine would log each other out.
    return f"profuse_console_{host.rpartition(':')[2]}" if ":" in host and host.rpartition(":")[2].isdigit() else "profuse_console"


def onward(path: str) -> str:
    """Where somebody goes after logging in: a page of ours, never another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
