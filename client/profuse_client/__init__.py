"""The client of Profuse: profiles go in from any iterable, and one result for each comes out, in their order.

    with Client("http://127.0.0.1:8080", token) as client:
        for result in client.import_and_start(profiles, trigger=8):
            ...

`plan` decides what to send next and knows neither sockets nor clocks; `threads` and `tasks` carry it out for `Client` and `AsyncClient`.
"""

from profuse_client.aio import AsyncClient
from profuse_client.connecting import Options
from profuse_client.cutting import Limits
from profuse_client.encoding import File, Item, Profile
from profuse_client.errors import GivenUp, ProfuseError, Refused
from profuse_client.parameters import Importing, ImportingAndStarting, Launching, MatchBy, Matching
from profuse_client.results import Failed, Imported, Started, Task
from profuse_client.sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "Failed",
    "File",
    "GivenUp",
    "Imported",
    "Importing",
    "ImportingAndStarting",
    "Item",
    "Launching",
    "Limits",
    "MatchBy",
    "Matching",
    "Options",
    "Profile",
    "ProfuseError",
    "Refused",
    "Started",
    "Task",
]
