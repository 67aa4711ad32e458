"""Pure: the calls that bring items, and the bytes that all requests of one run have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from profuse_client.cutting import Cutter, Limits
from profuse_client.encoding import File, attached, bare, encoded, wrapped
from profuse_client.parameters import waiting

PREFIX = "/api/v1.1/"
STATUS = PREFIX + "tasks/status"
_END = b"]}"


@dataclass(frozen=True)
class Call:
    """A call without its items; `shape` makes of each what the server takes."""

    path: str
    parameters: Mapping[str, Any]
    shape: Callable[[object], object]
    files: Sequence[object] = field(default_factory=tuple)

    def beginning(self) -> bytes:
        """Up to the first item. Files come first: a server reads past its plain limit only if it has seen them by then."""
        files = {"attach": self.files} if self.files else {}
        return encoded({**files, **self.parameters})[:-1] + b',"data":['

    def cutter(self, limits: Limits, beginning: bytes) -> Cutter:
        """Raises `ValueError` if what all requests repeat leaves no room for items."""
        beside = len(beginning) + len(_END)
        plain = beside - (len(encoded(self.files)) if self.files else 0)
        room = min(limits.bytes - plain, limits.bytes_with_files - beside)
        if room <= 0:
            raise ValueError(f"attach, content and custom_data leave no room for items: {beside} bytes in each request")
        return Cutter(self.shape, room, limits.profiles)


def body(beginning: bytes, items: bytes | bytearray) -> Sequence[bytes]:
    return (beginning, bytes(items), _END)


def import_and_start(trigger: int, given: Mapping[str, Any]) -> Call:
    return _launching("campaigns/triggers/import_and_start_batch", trigger, given, wrapped)


def start(trigger: int, given: Mapping[str, Any]) -> Call:
    return _launching("campaigns/triggers/start_batch", trigger, given, bare)


def import_profiles(db_id: int, given: Mapping[str, Any]) -> Call:
    return Call(PREFIX + "profiles/import_batch", {"db_id": db_id, **given}, bare)


def _launching(path: str, trigger: int, given: Mapping[str, Any], shape: Callable[[object], object]) -> Call:
    parameters = {"trigger_id": trigger, **given}
    files = parameters.pop("attach", ())
    if "timeout" in parameters:
        parameters["timeout"] = waiting(parameters["timeout"])
    several = [files] if isinstance(files, (File, Mapping)) else files
    return Call(PREFIX + path, parameters, shape, [attached(each) for each in several])
