"""Spans on their way to a collector; whatever becomes of them, no room waits."""

import logging
from collections.abc import Sequence
from threading import Thread

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from schemas import metrics
from schemas.settings import Settings

log = structlog.get_logger()

# Ended spans that wait; each takes some 3 KB.
WAITING = 4_096
_AT_ONCE = 512
_EVERY_MS = 1_000
# Seconds that a collector may take.
_ANSWERING = 5.0
# Seconds at a process's end.
_GOODBYE = 1.5


class Counted(SpanExporter):
    """Counts what arrived and what did not, and says when it does not any more, and when it does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._arrives = True
        # Spans that wait no more; written by the exporter's thread alone.
        self.over = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.over += len(spans)
        result = self._exporter.export(spans)
        arrived = result is SpanExportResult.SUCCESS
        metrics.SPANS.labels("exported" if arrived else "lost").inc(len(spans))
        if arrived is not self._arrives:
            self._arrives = arrived
            self._tell()
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def _tell(self) -> None:
        if self._arrives:
            log.info("spans_arrive_again")
        else:
            log.warning("spans_lost", todo="see whether the collector that PROFUSE_TRACES names takes OTLP by HTTP; nothing else is lost")


class Bounded(SpanProcessor):
    """Ended spans wait in a queue of bounded length; what is too much is counted and dropped."""

    def __init__(self, exporter: Counted) -> None:
        self._exporter = exporter
        self._batches = BatchSpanProcessor(exporter, WAITING, _EVERY_MS, _AT_ONCE)
        self._taken = 0

    def on_end(self, span: ReadableSpan) -> None:
        if self._taken - self._exporter.over >= WAITING:
            metrics.SPANS.labels("dropped").inc()
            return
        self._taken += 1
        self._batches.on_end(span)

    def shutdown(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]  # it says nothing of what it returns


def provider(room: str, settings: Settings) -> TracerProvider:
    # Ours are counted and told; theirs may quote what a client wrote.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    resource = Resource.create({"service.name": f"profuse-{room}", "service.namespace": settings.prefix})
    made = TracerProvider(ParentBasedTraceIdRatio(settings.traces_ratio), resource, shutdown_on_exit=False)
    made.add_span_processor(Bounded(Counted(OTLPSpanExporter(address(settings.traces), timeout=_ANSWERING))))
    return made


def address(endpoint: str) -> str:
    """Where spans go: a collector's own path where none is named, as OTLP has it."""
    scheme, _, rest = endpoint.partition("://")
    host, _, path = rest.partition("/")
    return endpoint if path else f"{scheme}://{host}/v1/traces"


def let_go(made: TracerProvider) -> None:
    """Send what waits, for as long as a process has at its end."""
    flushing = Thread(target=made.shutdown, daemon=True)
    flushing.start()
    flushing.join(_GOODBYE)
