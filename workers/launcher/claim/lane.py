"""What takes turns."""

from typing import NamedTuple

from schemas.ids import TriggerId


class Lane(NamedTuple):
    """The groups of one trigger: where one's destination is slow, the account's other lanes go on."""

    account: int
    trigger: TriggerId
