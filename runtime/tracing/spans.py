"""What a span of OpenTelemetry is told, and what it carries on."""

from collections import Counter
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.tracing import untraced
from runtime.tracing.carrying import NAME

_W3C = TraceContextTextMapPropagator()


@dataclass
class Page:
    """A page of launches, and how those ended that have no span of their own."""

    span: trace.Span
    endings: Counter[str] = field(default_factory=Counter)

    def end(self) -> None:
        self.span.set_attributes({f"profuse.launches.{how}": count for how, count in self.endings.items()})


class Told(untraced.Span):
    """Its ending is told as this attribute."""

    def __init__(self, span: trace.Span, attribute: str) -> None:
        self._span = span
        self._attribute = attribute

    def ends(self, how: int | str, *, failed: bool = False) -> None:
        self._span.set_attribute(self._attribute, how)
        if failed:
            fail(self._span, str(how))


class Counted(untraced.Span):
    """One of many: its ending is counted in its page's span."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def ends(self, how: int | str, *, failed: bool = False) -> None:
        self._page.endings[str(how)] += 1
        if failed:
            fail(self._page.span, "launches failed")


def parent_of(traceparent: str | None) -> Context | None:
    """What it names; None for none, and for one that is malformed."""
    parent = _W3C.extract({NAME: traceparent}) if traceparent else Context()
    return parent if get_current_span(parent).get_span_context().is_valid else None


def carried(span: trace.Span | None) -> str | None:
    """None of what is not sampled: it costs whoever comes after nothing."""
    if span is None or not span.get_span_context().trace_flags.sampled:
        return None
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span))
    return carrier[NAME]


def fail(span: trace.Span, why: str) -> None:
    span.set_status(Status(StatusCode.ERROR, why))
