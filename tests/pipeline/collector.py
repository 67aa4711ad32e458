"""A collector of traces, and whatever else is posted to: it takes OTLP by HTTP, and keeps what it took."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from tests.pipeline.waiting import eventually
from tests.posts import taking


@dataclass(frozen=True)
class Span:
    """One span, as its process sent it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, str | int]
    failed: bool
    why: str


@dataclass
class Collector:
    """What came, in its order."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)
    # As it came: whatever is in a span anywhere is in here.
    raw: list[bytes] = field(default_factory=list)
    # The headers of whatever was posted elsewhere, by path.
    posts: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, trace: str) -> list[Span]:
        return [span for span in list(self.spans) if span.trace == trace]

    def named(self, trace: str, name: str, count: int = 1) -> list[Span]:
        """The spans of a trace whose name ends so, once they are that many."""

        def found() -> list[Span]:
            return [span for span in self.of(trace) if span.name.endswith(name)]

        eventually(lambda: len(found()) >= count, 30, lambda: f"{count} of {name}; there are {[span.name for span in self.of(trace)]}")
        return found()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        if path != "/v1/traces":
            self.posts.append((path, headers))
            return 200
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.spans += _spans(resource)
        return 200


def _spans(resource: ResourceSpans) -> Iterator[Span]:
    (service,) = [each.value.string_value for each in resource.resource.attributes if each.key == "service.name"]
    for scope in resource.scope_spans:
        for sent in scope.spans:
            yield _span(service, sent)


def _span(service: str, sent: Sent) -> Span:
    attributes = {each.key: each.value.string_value or each.value.int_value for each in sent.attributes}
    failed = sent.status.code == Status.STATUS_CODE_ERROR
    ids = sent.trace_id.hex(), sent.span_id.hex(), sent.parent_span_id.hex()
    return Span(service, sent.name, *ids, attributes, failed, sent.status.message)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    with taking(collector.take) as collector.port:
        yield collector
