"""What a setting may be at all: beyond these a process would spin, stall, or ask a server for what it refuses."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

# How often something is looked for: never without a rest.
Rhythm = Annotated[timedelta, Field(ge=timedelta(milliseconds=10), le=timedelta(hours=1))]
# How long somebody is waited for. A lease of nothing would be taken over at once, again and again.
Patience = Annotated[timedelta, Field(ge=timedelta(milliseconds=100), le=timedelta(hours=1))]
Lease = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(hours=1))]
# What a broker takes for a session unless it is told otherwise.
Session = Annotated[timedelta, Field(ge=timedelta(seconds=6), le=timedelta(minutes=5))]
# How long something is kept.
Kept = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=3650))]

LAST_PORT = 65535
# To listen on; 0 is any free one.
Port = Annotated[int, Field(ge=0, le=LAST_PORT)]
# Connections, and groups or launches that one claim takes.
Few = Annotated[int, Field(ge=1, le=1_000)]
# Messages or profiles that are in memory together.
Many = Annotated[int, Field(ge=1, le=10_000)]
Most = Annotated[int, Field(ge=1, le=10_000_000)]
Size = Annotated[int, Field(ge=1, le=2**30)]
# With the rest of its record it has to pass a broker that takes a megabyte; one that is refused would be tried for ever.
ItemSize = Annotated[int, Field(ge=1, le=900 * 1024)]
# An event carries the root's and the item's together: twice 400 KiB, and 200 for what else it says.
CustomDataSize = Annotated[int, Field(ge=1, le=400 * 1024)]
