"""Pure: the model of docs/scaling.md, what so many profiles a day take; `python -m bench.sizing` prints its table."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import NamedTuple

# µs of CPU for a new profile with a launch, by part: the run of docs/performance.md, on a slow machine.
COSTS: Mapping[str, float] = {"gateway": 31, "matcher": 79, "launcher": 23, "Postgres": 45, "broker": 17}
# Firing and marking a launch is taken to cost Postgres as much as storing it: nobody has measured the one without the other.
POSTGRES_FIRING = 45
# Of one launcher, on two cores that all of the rest shares.
MAILS_A_SECOND = 1_500
# Of each new profile, as `python -m bench.scaling` found it; of what is changed tables grow by little.
WAL_BYTES, TABLE_BYTES = 900, 600

_SECOND = 1_000_000
_DAY = 86_400
# A day's profiles come within six hours.
PEAK = 4
# What a part may be busy with at the peak, so that it drains a backlog and survives the loss of one of three.
BUSY = 0.6
# Less than two of anything is an outage for each restart.
_LEAST = 2
NODES, POSTGRES_CORES = (1, 2, 3, 4, 6, 8), (4, 8, 16)
DAYS = (1_000_000, 10_000_000, 100_000_000, 300_000_000, 1_000_000_000)


class Sizes(NamedTuple):
    """What they take; a process of a room is a core."""

    day: int
    peak: float
    gateways: int
    matchers: int
    launchers: int
    postgres_cores: int
    broker_cores: int
    wal: float
    tables: float


def sizes(day: int) -> Sizes:
    peak = day / _DAY * PEAK
    return Sizes(
        day,
        peak,
        gateways=_cores(peak * COSTS["gateway"]),
        matchers=_cores(peak * COSTS["matcher"]),
        launchers=_cores(peak * (COSTS["launcher"] + _SECOND / MAILS_A_SECOND)),
        postgres_cores=_cores(peak * (COSTS["Postgres"] + POSTGRES_FIRING)),
        # Each of three has every byte once, as leader or as follower.
        broker_cores=_cores(peak * COSTS["broker"]),
        wal=peak * WAL_BYTES / 1e6,
        tables=day * TABLE_BYTES / 1e9,
    )


def rate(processes: Mapping[str, int], cores: float) -> float:
    """New profiles a second at most, of one machine: the part ends it that is full first, or the machine does."""
    own = min(count * _SECOND / COSTS[part] for part, count in processes.items())
    return min(own, cores * _SECOND / sum(COSTS.values()))


def cluster(nodes: int, cores: int = 4, postgres_cores: int = 8) -> float:
    """New profiles a second of so many machines for the rooms, three brokers and one Postgres, none busier than it should be."""
    rooms = nodes * cores / (COSTS["gateway"] + COSTS["matcher"] + COSTS["launcher"])
    return min(rooms, postgres_cores / (COSTS["Postgres"] + POSTGRES_FIRING)) * _SECOND * BUSY


def cluster_rows() -> Iterator[str]:
    for nodes in NODES:
        yield f"| {nodes} | {' | '.join(f'{cluster(nodes, postgres_cores=cores):,.0f}' for cores in POSTGRES_CORES)} |"


def rows() -> Iterator[str]:
    """As they stand on the page."""
    for day in DAYS:
        size = sizes(day)
        found = (size.gateways, size.matchers, size.launchers, f"3 of {size.broker_cores} cores", f"{size.postgres_cores} cores")
        disk = (f"{size.wal:,.1f} MB/s", f"{size.tables:,.1f} GB")
        yield f"| {' | '.join(map(str, (f'{day:,}', f'{size.peak:,.0f}', *found, *disk)))} |"


def _cores(spent: float) -> int:
    """Of so many µs a second."""
    return max(_LEAST, ceil(spent / _SECOND / BUSY))


if __name__ == "__main__":
    print("\n".join([*rows(), "", *cluster_rows()]))
