"""What an import is to do, and what the server says of it beforehand."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from profuse.importing.opening import Given
from profuse.importing.table import Table
from profuse_client import Client, GivenUp, Limits, Options, Refused
from runtime.errors import CannotRun
from schemas.matching import MODES, Matching

# Small enough that the rows behind the requests on their way are few, and large enough that requests cost little.
SENDING = Options(limits=Limits(profiles=2_500))
# For a question before anything is sent.
ASKING = Options(patience=5, answered_within=10)


@dataclass(frozen=True)
class Aim:
    """Where profiles go, how they are found, and what starts; one of `trigger` and `db_id` is there from the beginning."""

    trigger: int | None
    db_id: int | None
    matching: str
    field_name: str | None
    columns: Mapping[str, str]
    # Tells imports of one file apart that are meant as several.
    run: str

    @property
    def how(self) -> dict[str, Any]:
        """What the client's call is given."""
        return {"matching": self.matching, **({"field_name": self.field_name} if self.field_name else {})}

    @property
    def beside(self) -> frozenset[str] | None:
        """The keys that may stand beside a profile and find it; None where profiles are bare."""
        if self.trigger is None:
            return None
        # An e-mail is a field of every profile, and found there as well.
        return frozenset(part.key for part in MODES[Matching(self.matching)].parts) - {"email"}

    def run_id(self, table: Table, given: Given) -> str:
        """The same for the same file and the same aim, so that whoever repeats a command goes on where it ended."""
        read = [given.format, given.encoding, given.delimiter, given.columns]
        told = [self.run, self.trigger, self.db_id, self.matching, self.field_name, dict(self.columns), read, SENDING.limits.profiles]
        return hashlib.sha256((table.digest + json.dumps(told)).encode()).hexdigest()[:40]


def found(url: str, token: str, aim: Aim) -> tuple[Aim, Sequence[Mapping[str, Any]]]:
    """The aim with its database, and the fields of that; none if the token may not read. Raises `CannotRun`."""
    try:
        opened = Client(url, token, ASKING)
    except ValueError as error:
        raise CannotRun(f"{error}.") from None
    with opened as client:
        try:
            if aim.db_id is None and aim.trigger is not None:
                aim = replace(aim, db_id=int(client.trigger(aim.trigger)["list_id"]))
            return aim, client.fields(aim.db_id or 0)
        except GivenUp as away:
            raise CannotRun(f"{url} does not answer ({away.why}): start it with `profuse up`, or name another --url.") from None
        except Refused as refused:
            if refused.error == 403:
                return aim, ()
            raise CannotRun(f"{url} refuses: {refused}") from None
