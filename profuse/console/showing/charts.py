"""Pure: small pictures as SVG, whose shapes are attributes, because a page's styles may not be written into it."""

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT = 240, 40


def curve(values: Sequence[float | None], label: str) -> Markup:
    """How something went; what is not known is a gap at the bottom."""
    known = [value or 0.0 for value in values]
    top = max(known, default=0.0) or 1.0
    step = _WIDTH / max(1, len(known) - 1)
    points = " ".join(f"{at * step:.1f},{_HEIGHT - 2 - (_HEIGHT - 4) * value / top:.1f}" for at, value in enumerate(known))
    return Markup(
        '<svg class="curve" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}"><polyline points="{}"/></svg>'
    ).format(_WIDTH, _HEIGHT, label, points)


def bar(value: float, top: float, label: str) -> Markup:
    """A part of the largest one; what is there at all can be seen."""
    width = 0.0 if not value or not top else max(0.5, 100 * min(1.0, value / top))
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}"><rect width="{}" height="10"/></svg>'
    ).format(label, f"{width:.1f}")
