"""Pure: the outcome as a table and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from profuse.torture.verdict import Difference, Kind

KINDS: tuple[Kind, ...] = ("lost", "doubled", "wrong")


@dataclass
class Report:
    """What was done to the stack, and what came of it."""

    seed: int
    minutes: float = 0.0
    requests: int = 0
    # Requests of which the producer never heard that they were taken.
    unacknowledged: int = 0
    items: int = 0
    mails: int = 0
    # Mails that arrived once more, under the same Message-ID.
    repeats: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    # Slowest, in seconds, of the turns that had this fault alone.
    recovery: dict[str, float] = field(default_factory=dict)
    # Requests that ended without an answer, in those turns.
    cut: Counter[str] = field(default_factory=Counter)
    # Faults that this machine does not allow.
    impossible: dict[str, str] = field(default_factory=dict)
    drained: float | None = None
    latest: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    def recovered(self, kind: str, seconds: float) -> None:
        self.recovery[kind] = max(seconds, self.recovery.get(kind, 0.0))

    def count(self, kind: Kind) -> int:
        return sum(difference.count for difference in self.differences if difference.kind == kind)

    @property
    def is_clean(self) -> bool:
        return not self.differences and self.drained is not None

    def as_json(self) -> dict[str, Any]:
        # `asdict` would count the pairs of a Counter.
        counters = {name: dict(value) for name, value in vars(self).items() if isinstance(value, Counter)}
        differences = [asdict(difference) for difference in self.differences]
        return {**vars(self), **counters, "differences": differences, **{kind: self.count(kind) for kind in KINDS}}


def table(report: Report) -> Table:
    shown = Table(title=f"profuse torture --minutes {report.minutes:g} --seed {report.seed}", title_justify="left")
    shown.add_column("what")
    shown.add_column("how many", justify="right")
    shown.add_column("slowest recovery", justify="right")
    shown.add_column("requests cut off", justify="right")
    for row in [*_requests(report), *_faults(report)]:
        shown.add_row(*row)
    shown.add_section()
    for kind in KINDS:
        shown.add_row(kind, str(report.count(kind)), "", style="green" if not report.count(kind) else "bold red")
    return shown


def told(differences: Sequence[Difference], limit: int = 20) -> list[str]:
    lines = [f"{each.kind}: {each.count} {each.what}" for each in differences[:limit]]
    return lines + ([f"… and {len(differences) - limit} more differences"] if len(differences) > limit else [])


def _requests(report: Report) -> list[tuple[str, ...]]:
    drained = "not within its time" if report.drained is None else f"{report.drained:.1f} s"
    answers = ", ".join(f"{answer}: {count}" for answer, count in sorted(report.answers.items()))
    return [
        ("requests", f"{report.requests:,}", ""),
        ("  never acknowledged", f"{report.unacknowledged:,}", ""),
        (f"  answers: {answers}", f"{report.answers.total():,}", ""),
        ("accepted items = launches", f"{report.items:,}", ""),
        ("  of which mails", f"{report.mails:,}", ""),
        ("  mails that arrived again, under the same Message-ID", f"{report.repeats:,}", ""),
        ("backlog drained after the last fault", "", drained),
        ("latest launch after its due time", "", f"{report.latest:.1f} s"),
    ]


def _faults(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("faults", f"{report.faults.total():,}", "")]
    for kind, count in report.faults.items():
        slowest = f"{report.recovery[kind]:.1f} s" if kind in report.recovery else "-"
        rows.append((f"  {kind}", str(count), slowest, str(report.cut[kind])))
    rows += [(f"  {kind}", "0", f"not possible: {why}") for kind, why in report.impossible.items()]
    if SEVERAL in report.recovery:
        rows.append(("  several at once", "", f"{report.recovery[SEVERAL]:.1f} s", str(report.cut[SEVERAL])))
    return rows


SEVERAL = "several at once"
