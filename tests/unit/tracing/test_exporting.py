"""Spans that wait for a collector, which may be slow, or none."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from runtime.tracing.exporting import WAITING, Bounded, Counted, address, let_go, provider
from schemas import metrics
from schemas.settings import Settings


class Slow(SpanExporter):
    """Takes nothing until it is let."""

    def __init__(self) -> None:
        self.asked, self.may = threading.Event(), threading.Event()
        self.result = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.may.wait(30)
        return self.result

    def shutdown(self) -> None:
        self.may.set()


@pytest.fixture
def silent() -> Iterator[str]:
    """A collector that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def count(fate: str) -> float:
    return float(metrics.SPANS.labels(fate)._value.get())


def end_spans(made: TracerProvider, many: int) -> None:
    tracer = made.get_tracer("test")
    for _ in range(many):
        tracer.start_span("span").end()


@pytest.mark.promise("P-TRACE-08")
def test_what_waits_for_a_slow_collector_is_bounded_and_the_rest_is_counted() -> None:
    slow, made = Slow(), TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(Bounded(Counted(slow)))
    before = count("dropped"), count("exported")
    end_spans(made, 1)
    slow.asked.wait(30)
    end_spans(made, WAITING + 7)
    dropped = count("dropped") - before[0]
    slow.may.set()
    made.shutdown()

    assert dropped == 7
    assert count("exported") - before[1] == WAITING + 1


@pytest.mark.promise("P-TRACE-08")
def test_a_collector_that_goes_and_comes_back_is_told_once_each_time() -> None:
    slow = Slow()
    slow.may.set()
    counted, before = Counted(slow), count("lost")
    with capture_logs() as lines:
        for slow.result in (SpanExportResult.FAILURE, SpanExportResult.FAILURE, SpanExportResult.SUCCESS, SpanExportResult.SUCCESS):
            counted.export([])

    assert [line["event"] for line in lines] == ["spans_lost", "spans_arrive_again"]
    assert count("lost") == before


@pytest.mark.promise("P-TRACE-08")
def test_a_process_does_not_wait_for_a_silent_collector_at_its_end(silent: str) -> None:
    made = provider("gateway", Settings(traces=silent, traces_ratio=1))
    end_spans(made, 1)
    began = time.monotonic()
    let_go(made)

    assert time.monotonic() - began < 3


def test_a_collector_is_named_by_its_root_or_by_its_path() -> None:
    named = ("http://collector:4318", "http://collector:4318/", "https://u:p@collector/otlp/v1/traces")

    assert [address(each) for each in named] == [
        "http://collector:4318/v1/traces",
        "http://collector:4318/v1/traces",
        "https://u:p@collector/otlp/v1/traces",
    ]
