"""What a frame shows of each room; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from profuse.top.rooms import SHOWN, Trouble
from profuse.top.samples import Look, Span

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """A room in words; `news` are the troubles that are there now, or grew since the look before."""

    room: str
    processes: str
    all_ready: bool
    cores: str
    memory: str
    rate: str
    waiting: str
    late: str
    troubles: Sequence[str] = ()
    news: Sequence[str] = ()


def rows(before: Look, now: Look) -> list[Row]:
    """In the order in which data moves."""
    rooms = [room for room in SHOWN if now.of(room).processes]
    return [_row(room, Span(before.of(room), now.of(room))) for room in rooms]


def told(now: Look) -> list[str]:
    """Why processes are not ready."""
    silent = [f"{process.name} does not answer" for process in now.processes if process.samples is None]
    return silent + [f"{process.name}: {problem}" for process in now.processes for problem in process.problems]


def _row(room: str, span: Span) -> Row:
    shown, processes = SHOWN[room], span.now.processes
    ready = sum(process.samples is not None and not process.problems for process in processes)
    return Row(
        room=room,
        processes=f"{ready}/{len(processes)}",
        all_ready=ready == len(processes),
        cores=f"{span.rate('process_cpu_seconds_total'):.2f}",
        memory=f"{span.total('process_resident_memory_bytes') / _MIB:,.0f} MiB",
        rate=shown.rate(span),
        waiting=shown.waiting(span),
        late=shown.late(span),
        troubles=[said for said, _ in _troubles(shown.troubles, span)],
        news=[said for said, is_new in _troubles(shown.troubles, span) if is_new],
    )


def _troubles(troubles: Sequence[Trouble], span: Span) -> Iterator[tuple[str, bool]]:
    for trouble in troubles:
        labels = dict([trouble.label]) if trouble.label else {}
        if total := span.total(trouble.name, **labels):
            yield f"{total:,.0f} {trouble.called}", trouble.is_now or span.grown(trouble.name, **labels) > 0
