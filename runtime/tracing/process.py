"""Whether this process tells its traces: chosen once, at its start."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.errors import CannotRun
from runtime.tracing.untraced import Untraced
from schemas.settings import Settings

_PACKAGES = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"


@dataclass
class _Chosen:
    traces: Untraced
    let_go: Callable[[], None]


_CHOSEN = _Chosen(Untraced(), lambda: None)


def traces() -> Untraced:
    """Who is told of what happens here."""
    return _CHOSEN.traces


def start(room: str, settings: Settings) -> None:
    """Raises `CannotRun` where traces are wanted and what tells them is not installed."""
    if not settings.traces:
        return
    try:
        from runtime.tracing import exporting, telling  # noqa: PLC0415  # of an extra
    except ModuleNotFoundError:
        raise CannotRun(f"PROFUSE_TRACES needs the extra `traces`: pip install {_PACKAGES}, or leave it empty.") from None
    made = exporting.provider(room, settings)
    _CHOSEN.traces = telling.Telling(made.get_tracer("profuse"))
    _CHOSEN.let_go = lambda: exporting.let_go(made)


def stop() -> None:
    _CHOSEN.let_go()
