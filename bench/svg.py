"""Pure: small charts as SVG text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_COLOURS = ("#0b6e99", "#c2571a", "#3a7d34", "#7b4ea3", "#8c8c8c", "#b8860b", "#b0305c", "#2f4f4f")
_WIDTH, _LEFT, _TOP, _PLOT = 760, 150, 40, 420
_INSIDE = _WIDTH - _LEFT - 30
_BAR = 26

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """From the lowest value to the highest, over so many pixels."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The share of the way."""
        if self.logarithmic:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> Sequence[float]:
        if self.logarithmic:
            return [10.0**power for power in range(round(log10(self.low)), round(log10(self.high)) + 1)]
        step = _step(self.high - self.low)
        return [self.low + step * number for number in range(int((self.high - self.low) / step) + 1)]


def logarithmic(values: Sequence[float]) -> Axis:
    """Over whole powers of ten."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    # At least one, or there is no way from the one end to the other.
    return Axis(10.0**low, 10.0 ** max(high, low + 1), logarithmic=True)


def lines(title: str, across: str, series: Mapping[str, Points], x: Axis, y: Axis) -> str:
    """Each series a line through its points."""
    parts = [*_grid(x, y), _text(_LEFT + _INSIDE / 2, _TOP + _PLOT + 36, across, "middle")]
    for number, points in enumerate(series.values()):
        colour = _COLOURS[number % len(_COLOURS)]
        way = " ".join(f"{_LEFT + x.at(a) * _INSIDE:.1f},{_TOP + (1 - y.at(b)) * _PLOT:.1f}" for a, b in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return _picture(title, [*parts, *_legend(series, _TOP + _PLOT + 60)], _TOP + _PLOT + 60 + 20 * len(series))


def bars(title: str, unit: str, stacks: Mapping[str, Mapping[str, float]]) -> str:
    """Each stack a bar of its parts, one beside the other, and their sum behind it."""
    names = list(dict.fromkeys(part for stack in stacks.values() for part in stack))
    most = max(sum(stack.values()) for stack in stacks.values())
    parts = []
    for row, (name, stack) in enumerate(stacks.items()):
        top, at = _TOP + row * (_BAR + 10), float(_LEFT)
        parts.append(_text(_LEFT - 8, top + 18, name, "end"))
        for part, value in stack.items():
            width = value / most * (_INSIDE - 70)
            colour = _COLOURS[names.index(part) % len(_COLOURS)]
            parts.append(f'<rect x="{at:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
            at += width
        parts.append(_text(at + 6, top + 18, f"{_number(sum(stack.values()))} {unit}", "start"))
    below = _TOP + len(stacks) * (_BAR + 10) + 14
    legend = _legend(names, below) if len(names) > 1 else []
    return _picture(title, [*parts, *legend], below + 20 * (len(names) if legend else 0))


def _picture(title: str, parts: Sequence[str], height: float) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" font-family="sans-serif" font-size="13">'
    ground = f'<rect width="{_WIDTH}" height="{height:.0f}" fill="white"/>'
    return "\n".join([head, ground, _text(_WIDTH / 2, 22, title, "middle"), *parts, "</svg>", ""])


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for tick in x.ticks():
        at = _LEFT + x.at(tick) * _INSIDE
        yield f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{_TOP + _PLOT}" stroke="#ddd"/>'
        yield _text(at, _TOP + _PLOT + 18, _number(tick), "middle")
    for tick in y.ticks():
        at = _TOP + (1 - y.at(tick)) * _PLOT
        yield f'<line x1="{_LEFT}" y1="{at:.1f}" x2="{_LEFT + _INSIDE}" y2="{at:.1f}" stroke="#ddd"/>'
        yield _text(_LEFT - 8, at + 4, _number(tick), "end")


def _legend(names: Mapping[str, object] | Sequence[str], top: float) -> Iterator[str]:
    for number, name in enumerate(names):
        at = top + 20 * number
        yield f'<rect x="{_LEFT}" y="{at - 9:.0f}" width="14" height="10" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        yield _text(_LEFT + 22, at, name, "start")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _step(span: float) -> float:
    """1, 2 or 5 of some power of ten, so that there are five to ten steps."""
    power = 10.0 ** floor(log10(span / 5))
    return next((power * factor for factor in (1, 2, 5) if span / (power * factor) <= 10), power * 10)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}" if value == round(value, 2) else f"{value:.2g}"
