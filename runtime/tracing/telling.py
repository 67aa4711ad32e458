"""Every call of a room as spans of OpenTelemetry."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Tracer, get_current_span

from runtime.tracing import untraced
from runtime.tracing.carrying import NAME, origins, stamped, the_one
from runtime.tracing.spans import Counted, Page, Told, carried, fail, parent_of
from runtime.tracing.untraced import Headers, Untraced
from schemas.topics import Outgoing

# Of batches with more items a launch has no span of its own, but is counted in its page's: 10,000 items are not 10,000 spans.
SMALL = 20

# By batch, as the records' headers name it.
_CHUNK: ContextVar[Mapping[bytes, trace.Span]] = ContextVar("chunk", default={})  # noqa: B039  # nobody changes it
_PAGE: ContextVar[Page | None] = ContextVar("page", default=None)


class Telling(Untraced):
    """Told to a tracer. Only a request begins a trace; whatever comes after goes on with one, or tells nothing."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def request(self, path: str, traceparents: Sequence[str]) -> Iterator[untraced.Span]:
        parent = parent_of(the_one(traceparents)) or Context()
        with self._around(f"POST {path}", parent, SpanKind.SERVER, {"http.request.method": "POST", "http.route": path}) as span:
            yield Told(span, "http.response.status_code")

    def accepted(self, batch: str, items: int, failed: int) -> None:
        get_current_span().set_attributes({"profuse.batch": batch, "profuse.items": items, "profuse.items_failed": failed})

    def header(self) -> tuple[tuple[str, bytes], ...]:
        return tuple((name, value.encode()) for name, value in self.outbound().items())

    @contextmanager
    def chunk(self, topic: str, records: Iterable[Headers]) -> Iterator[None]:
        spans = {batch: span for batch, tries in origins(records).items() if (span := self._part(topic, batch, tries)) is not None}
        before = _CHUNK.set(spans)
        try:
            yield
        except BaseException as error:
            for span in spans.values():
                fail(span, type(error).__name__)
            raise
        finally:
            _CHUNK.reset(before)
            for span in spans.values():
                span.end()

    def stamped(self, records: list[Outgoing]) -> list[Outgoing]:
        spans = _CHUNK.get()
        return [stamped(record, carried(spans.get(dict(record.headers).get("batch", b"")))) for record in records] if spans else records

    def carried(self, batch: bytes) -> str | None:
        return carried(_CHUNK.get().get(batch.hex().encode()))

    def failed(self, batch: bytes) -> None:
        if (span := _CHUNK.get().get(batch.hex().encode())) is not None:
            fail(span, "items failed")

    @contextmanager
    def page(self, traceparent: str | None, **attributes: int | str) -> Iterator[None]:
        if (parent := parent_of(traceparent)) is None:
            yield
            return
        named = {f"profuse.{name}": value for name, value in attributes.items()}
        with self._around("deliver", parent, SpanKind.INTERNAL, named) as span:
            page = Page(span)
            before = _PAGE.set(page)
            try:
                yield
            finally:
                _PAGE.reset(before)
                page.end()

    @contextmanager
    def launch(self, launch: str, channel: str, of: int) -> Iterator[untraced.Span]:
        if (page := _PAGE.get()) is None:
            yield untraced.Span()
        elif of > SMALL:
            yield Counted(page)
        else:
            named = {"profuse.launch": launch, "profuse.channel": channel}
            with self._around(f"send {channel}", trace.set_span_in_context(page.span), SpanKind.CLIENT, named) as span:
                yield Told(span, "profuse.ending")

    def outbound(self) -> Mapping[str, str]:
        traceparent = carried(get_current_span())
        return {} if traceparent is None else {NAME: traceparent}

    @contextmanager
    def _around(self, name: str, parent: Context, kind: SpanKind, named: Mapping[str, int | str]) -> Iterator[trace.Span]:
        # What an exception says may quote what somebody sent: its name must do.
        with self._tracer.start_as_current_span(name, parent, kind, named, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield span
            except BaseException as error:
                fail(span, type(error).__name__)
                raise

    def _part(self, topic: str, batch: bytes, tries: Counter[bytes]) -> trace.Span | None:
        """The span of a batch's part of a chunk: within the trace of its records; other tries of the request are links."""
        parents = [parent for each, _ in tries.most_common() if (parent := parent_of(each.decode(errors="replace"))) is not None]
        if not parents:
            return None
        named: dict[str, int | str] = {
            "profuse.batch": batch.decode(errors="replace"),
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": tries.total(),
        }
        links = [Link(get_current_span(parent).get_span_context()) for parent in parents[1:]]
        return self._tracer.start_span(f"process {topic}", parents[0], SpanKind.CONSUMER, named, links)
