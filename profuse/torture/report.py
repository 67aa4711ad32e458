"""Pure: the outcome as a table and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from profuse.torture.chronicle import percentile
from profuse.torture.verdict.seen import Difference, Kind

KINDS: tuple[Kind, ...] = ("lost", "doubled", "wrong")


@dataclass
class Report:
    """What was done to the stack, and what came of it."""

    seed: int
    minutes: float = 0.0
    # How many times slower the machine is than the one that bounds in seconds were written for.
    slowness: float = 1.0
    requests: int = 0
    # Requests of which the producer never heard that they were taken.
    unacknowledged: int = 0
    # Items that were imported, and why the others were not.
    items: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    # Dead letters that were imported after all.
    replayed: int = 0
    profiles: int = 0
    launches: int = 0
    # Batches that retention deleted meanwhile.
    deleted: int = 0
    mails: int = 0
    # Mails that arrived once more, under the same Message-ID.
    repeats: int = 0
    # Webhooks and POSTs to hooks, each under its webhook-id; how often one came again; and the events in them, of each account.
    webhooks: int = 0
    webhooks_again: int = 0
    posts: int = 0
    posts_again: int = 0
    hooked: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    # What was sent to processes, by room and signal.
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Slowest, in seconds, of the turns that had this fault alone.
    recovery: dict[str, float] = field(default_factory=dict)
    # Requests that ended without an answer, in those turns.
    cut: Counter[str] = field(default_factory=Counter)
    # Faults that this machine does not allow.
    impossible: dict[str, str] = field(default_factory=dict)
    drained: float | None = None
    # Seconds of calm; and of each of the polite account's requests and mails in them.
    calm: float = 0.0
    polite_answers: list[float] = field(default_factory=list, repr=False)
    polite_launches: list[float] = field(default_factory=list, repr=False)
    hostile_answers: Counter[str] = field(default_factory=Counter)
    hostile_items: int = 0
    # Seconds after its due time, of the mails to servers without trouble.
    latest: float = 0.0
    latest_in_calm: float = 0.0
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
        shown = {name: _shown(value) for name, value in vars(self).items()}
        return {**shown, "differences": [asdict(each) for each in self.differences], **{kind: self.count(kind) for kind in KINDS}}


def _shown(value: Any) -> Any:
    if isinstance(value, Counter):
        return {name if isinstance(name, str) else " ".join(name): count for name, count in value.items()}
    return value


def table(report: Report) -> Table:
    shown = Table(title=f"profuse torture --minutes {report.minutes:g} --seed {report.seed}", title_justify="left")
    shown.add_column("what")
    shown.add_column("how many", justify="right")
    shown.add_column("seconds; slowest recovery", justify="right")
    shown.add_column("requests cut off", justify="right")
    for row in [*_requests(report), *_neighbours(report), *_faults(report)]:
        shown.add_row(*row)
    shown.add_section()
    for kind in KINDS:
        shown.add_row(kind, str(report.count(kind)), "", style="green" if not report.count(kind) else "bold red")
    return shown


def told(differences: Sequence[Difference], limit: int = 20) -> list[str]:
    lines = [str(each) for each in differences[:limit]]
    return lines + ([f"… and {len(differences) - limit} more differences"] if len(differences) > limit else [])


def _requests(report: Report) -> list[tuple[str, ...]]:
    drained = "not within its time" if report.drained is None else f"{report.drained:.1f} s"
    return [
        ("requests", f"{report.requests:,}", ""),
        ("  never acknowledged", f"{report.unacknowledged:,}", ""),
        (f"  answers: {_listed(report.answers)}", f"{report.answers.total():,}", ""),
        ("imported items = updates that are looked for", f"{report.items:,}", ""),
        ("  of which dead letters that were replayed", f"{report.replayed:,}", ""),
        (f"failed items: {_listed(report.failed)}", f"{report.failed.total():,}", ""),
        ("profiles", f"{report.profiles:,}", ""),
        ("launches", f"{report.launches:,}", ""),
        ("  of which mails", f"{report.mails:,}", ""),
        ("  mails that arrived again, under the same Message-ID", f"{report.repeats:,}", ""),
        ("  of which webhooks", f"{report.webhooks:,}", ""),
        ("  webhooks that came again, under the same webhook-id", f"{report.webhooks_again:,}", ""),
        (f"events that reached hooks: {_listed(report.hooked)}", f"{report.hooked.total():,}", ""),
        ("  POSTs that brought them", f"{report.posts:,}", ""),
        ("  POSTs that came again, under the same webhook-id", f"{report.posts_again:,}", ""),
        ("batches that retention deleted meanwhile", f"{report.deleted:,}", ""),
        ("backlog drained after the last fault", "", drained),
        ("latest mail after its due time", "", f"{report.latest:.1f} s"),
    ]


def _neighbours(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("times that this machine is slower than the one that bounds were written for", f"{report.slowness:.1f}"),
        ("seconds of calm", f"{report.calm:,.0f}"),
        ("  latest mail", "", f"{report.latest_in_calm:.1f} s"),
    ]
    for what, seconds in (("requests", report.polite_answers), ("mails", report.polite_launches)):
        here = [percentile(seconds, share) for share in (0.5, 0.99)]
        quickest = f"{here[0]:.2f}, {here[1]:.2f} s; by the machine's speed {here[1] / report.slowness:.2f} s"
        rows.append((f"  {what} of the polite account in them: median, 99 %", f"{len(seconds):,}", quickest))
    rows.append((f"answers to the hostile account: {_listed(report.hostile_answers)}", f"{report.hostile_answers.total():,}"))
    rows.append(("  its items that ended", f"{report.hostile_items:,}"))
    return rows


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.items()))


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
