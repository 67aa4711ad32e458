"""Spans of chunks, pages and launches, as a tracer hears of them."""

from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.tracing import process
from runtime.tracing.telling import SMALL, Telling
from runtime.tracing.untraced import Untraced
from schemas.topics import Outgoing, item_headers
from workers.exactly_once import Dead, dead_letters

BATCH, OTHER = bytes(11) + b"\1", bytes(11) + b"\2"
TRACE = "0af7651916cd43dd8448eb211c80319c"
FIRST, SECOND = f"00-{TRACE}-b7ad6b7169203331-01", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"

Headers = Sequence[tuple[str, bytes | None]]


@pytest.fixture
def told() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telling(told: InMemorySpanExporter) -> Iterator[Telling]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(told))
    yield Telling(provider.get_tracer("test"))
    provider.shutdown()


def of(batch: bytes, item: int, traceparent: str | None = None) -> Headers:
    carried = [("traceparent", traceparent.encode())] if traceparent else []
    return [*item_headers(batch, item), *carried]


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


def test_a_chunk_has_a_span_for_each_batch_that_is_traced(telling: Telling, told: InMemorySpanExporter) -> None:
    with telling.chunk("p.imports", [of(BATCH, 0, FIRST), of(OTHER, 0), of(BATCH, 1, FIRST)]):
        mine, others = telling.stamped([Outgoing("p.matches", batch, b"", item_headers(batch, 0)) for batch in (BATCH, OTHER)])
        stored = telling.carried(BATCH), telling.carried(OTHER)
    (span,) = told.get_finished_spans()

    assert span.context is not None
    header = f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert (span.name, attribute(span, "messaging.batch.message_count")) == ("process p.imports", 2)
    assert mine.headers == (*item_headers(BATCH, 0), ("traceparent", header.encode()))
    assert others.headers == item_headers(OTHER, 0)
    assert stored == (header, None)


def test_of_several_tries_of_a_request_one_is_the_parent_and_the_others_are_links(telling: Telling, told: InMemorySpanExporter) -> None:
    with telling.chunk("p.imports", [of(BATCH, 0, SECOND), of(BATCH, 1, FIRST), of(BATCH, 2, FIRST)]):
        pass
    (span,) = told.get_finished_spans()

    assert span.parent is not None
    assert f"{span.parent.trace_id:x}" == TRACE.lstrip("0")
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [SECOND.split("-")[1]]


@pytest.mark.parametrize("broken", [b"00-zz", b"\xff\xfe", b"", None])
def test_what_is_no_traceparent_on_a_record_is_none(telling: Telling, told: InMemorySpanExporter, broken: bytes | None) -> None:
    with telling.chunk(
        "p.imports", [[*item_headers(BATCH, 0), ("traceparent", broken)], [("batch", None), ("traceparent", FIRST.encode())]]
    ):
        assert telling.carried(BATCH) is None
    with telling.page("what somebody wrote into the row", launches=1), telling.launch("l", "email", 1):
        assert telling.outbound() == {}

    assert told.get_finished_spans() == ()


@pytest.mark.promise("P-TRACE-05")
def test_an_error_is_told_by_its_name_alone(telling: Telling, told: InMemorySpanExporter) -> None:
    def broken() -> None:
        raise ValueError("ann@example.com")

    with pytest.raises(ValueError, match="ann"), telling.chunk("p.imports", [of(BATCH, 0, FIRST)]):
        broken()
    with pytest.raises(ValueError, match="ann"), telling.page(FIRST), telling.launch("l", "email", 1):
        broken()
    with pytest.raises(ValueError, match="ann"), telling.request("/path", [FIRST]):
        broken()

    assert [span.status.description for span in told.get_finished_spans()] == ["ValueError"] * 4
    assert [span.events for span in told.get_finished_spans()] == [()] * 4


@pytest.mark.promise("P-TRACE-04")
def test_launches_of_a_small_batch_have_spans_and_others_are_counted(telling: Telling, told: InMemorySpanExporter) -> None:
    for of_batch in (SMALL, SMALL + 1):
        with telling.page(FIRST, launches=1), telling.launch("l", "email", of_batch) as span:
            span.ends("putoff", failed=True)
    sent, small, large = told.get_finished_spans()

    assert [span.name for span in (sent, small, large)] == ["send email", "deliver", "deliver"]
    assert [span.status.is_ok for span in (sent, small, large)] == [False, True, False]
    assert [attribute(span, "profuse.launches.putoff") for span in (small, large)] == [None, 1]


def test_a_chunk_that_is_over_is_forgotten(telling: Telling) -> None:
    with telling.chunk("p.imports", [of(BATCH, 0, FIRST)]):
        pass

    assert telling.carried(BATCH) is None


def test_without_a_page_no_launch_is_told(telling: Telling, told: InMemorySpanExporter) -> None:
    with telling.page(None), telling.launch("l", "email", 1) as span:
        span.ends("send")

    assert (told.get_finished_spans(), telling.outbound(), telling.header()) == ((), {}, ())


@pytest.mark.promise("P-TRACE-07")
def test_off_is_nothing_at_all() -> None:
    off, records = Untraced(), [Outgoing("p.matches", BATCH, b"", item_headers(BATCH, 0))]
    with off.request("/path", [FIRST]), off.chunk("p.imports", [of(BATCH, 0, FIRST)]), off.page(FIRST), off.launch("l", "email", 1) as span:
        span.ends("send")

        assert (off.header(), off.stamped(records), off.carried(BATCH), off.outbound()) == ((), records, None, {})


@pytest.mark.promise("P-TRACE-05")
def test_a_batch_whose_message_is_set_aside_is_marked(
    telling: Telling, told: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process._CHOSEN, "traces", telling)
    with telling.chunk("p.imports", [of(BATCH, 0, FIRST), of(OTHER, 0, SECOND)]):
        dead_letters.tell("p.imports", [Dead("p.imports", 0, 0, "unreadable", BATCH, 0)])

    assert [(attribute(span, "profuse.batch"), span.status.is_ok) for span in told.get_finished_spans()] == [
        (BATCH.hex(), False),
        (OTHER.hex(), True),
    ]
