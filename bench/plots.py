"""What was found, as pictures; those are left out whose figures are missing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import svg
from bench.run import Found
from bench.targets import Figure

LATE = "after their due time"
_LARGE = 10_000
_SHOWN = 200  # points of a curve
_PEERS = {
    "orm": "FastStream, SQLAlchemy's ORM; a profile a message",
    "core": "FastStream in batches, SQLAlchemy's Core; a profile a message",
}
_PER_PROFILE = ", µs of CPU a profile"


def draw(found: Found, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, picture in _pictures(found):
        (directory / f"{name}.svg").write_text(picture)


def _pictures(found: Found) -> Iterator[tuple[str, str]]:
    figures = found.figures
    if {"new", "sizes", "single", "peers"} <= figures.keys():
        yield "rates", _rates(figures)
    late = {name: taken for name, taken in found.latencies.items() if name == LATE}
    if answered := {name: taken for name, taken in found.latencies.items() if name not in late}:
        yield "latency", _latencies("Share of single requests that are answered within", answered)
    if late:
        yield "lateness", _latencies("Share of launches that are claimed within", late)
    spent = {name.removesuffix(_PER_PROFILE): parts for name, parts in found.parts.items() if name.endswith(_PER_PROFILE)}
    if spent:
        yield "cpu", svg.bars("CPU for each profile, by process", "µs", spent)
    if "ladder" in figures:
        yield "ladder", _ladder(figures["ladder"])


def _rates(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    ours = [(float(size), figure.ours) for size, figure in figures["sizes"].items()]
    series: dict[str, svg.Points] = {
        "Profuse, 64 requests at a time; of 10,000, 4 at a time": [*ours, (_LARGE, figures["new"]["ratio"].ours)],
        "a plain handler, 64 requests at a time": [(1, _beside(figures["single"]["rate"])), (2, _beside(figures["single"]["rate"]))],
        "bare upsert in chunks of 2,000": _level(_beside(figures["new"]["ratio"])),
        **{_PEERS[peer]: _level(_beside(figure)) for peer, figure in figures["peers"].items()},
    }
    rates = svg.logarithmic([rate for points in series.values() for _, rate in points])
    return svg.lines(
        "Profiles a second by the size of requests", "profiles in a request", series, svg.Axis(1, _LARGE, logarithmic=True), rates
    )


def _level(rate: float) -> svg.Points:
    return [(1, rate), (_LARGE, rate)]


def _beside(figure: Figure) -> float:
    return figure.beside or figure.ours


def _latencies(title: str, latencies: Mapping[str, Sequence[float]]) -> str:
    series = {name: _cumulated(taken) for name, taken in latencies.items()}
    across = svg.logarithmic([at for points in series.values() for at, _ in points])
    return svg.lines(title, "milliseconds", series, across, svg.Axis(0, 1))


def _cumulated(taken: Sequence[float]) -> svg.Points:
    ranked = sorted(taken)
    places = sorted({round(at * (len(ranked) - 1) / _SHOWN) for at in range(_SHOWN + 1)})
    return [(ranked[place] * 1000, (place + 1) / len(ranked)) for place in places]


def _ladder(figures: Mapping[str, Figure]) -> str:
    bare = _beside(figures["kafka"])
    names = {"kafka": "+ broker", "match": "+ door, match", "answer": "+ answer", "launch": "+ launch"}
    rates = {"bare upsert": bare, **{names[step]: figure.ours for step, figure in figures.items()}}
    return svg.bars("Profiles a second, step by step", "a second", {name: {"rate": rate} for name, rate in rates.items()})
