"""A request's trace, as a collector sees it."""

import json
import secrets

import httpx2
import pytest

from profuse.stack.ports import free_port
from tests.pipeline.collector import Collector, Span
from tests.pipeline.processes import Process
from tests.pipeline.stack import BATCH, TOKEN, Json, Stack
from tests.pipeline.waiting import eventually

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MANY = 1_000
# Batches of more items have no span for each launch.
SMALL = 20


def client() -> tuple[str, str, str]:
    """A client's own trace and span, and the header that says so."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-01"


def send(stack: Stack, emails: list[str], traceparent: str, path: str = BATCH, **root: object) -> Json:
    items = [{"data": {"email": email, "_fname": "Ann"}} for email in emails]
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "data": items, **root}).encode()
    answer = stack.send(path, body, {"traceparent": traceparent})

    assert answer.status == 200, answer.body
    return answer.body


def ancestors(collector: Collector, span: Span) -> list[str]:
    """The names from the span's parent up to what is nobody's child here, and the id of that one's parent, once all have told."""
    for name in (BATCH, ".imports", ".matches", "deliver"):
        collector.named(span.trace, name)
    by_id = {each.id: each for each in collector.of(span.trace)}
    names: list[str] = []
    while span.parent in by_id:
        span = by_id[span.parent]
        names.append(span.name.rpartition(".")[2] if span.name.startswith("process") else span.name)
    return [*names, span.parent]


@pytest.mark.promise("P-TRACE-01", "P-TRACE-02")
def test_a_request_its_chunks_and_its_mail_are_one_trace(traced: Stack, collector: Collector) -> None:
    trace, span, traceparent = client()
    send(traced, ["ann@trace.test"], traceparent)
    (mail,) = collector.named(trace, "send email")

    assert ancestors(collector, mail) == ["deliver", "matches", "imports", f"POST /api/v1.1/{BATCH}", span]
    services = {each.service for each in collector.of(trace)}
    assert services == {"profuse-gateway", "profuse-matcher", "profuse-launcher"}
    assert not any(each.failed for each in collector.of(trace))
    assert {each.attributes.get("profuse.batch") for each in collector.of(trace)} == {traced.last_task(), None}
    assert len(traced.sink.mails("ann@trace.test")) == 1


@pytest.mark.promise("P-TRACE-01")
def test_a_launch_that_waits_is_sent_in_the_trace_of_its_request(traced: Stack, collector: Collector) -> None:
    trace, span, traceparent = client()
    send(traced, ["later@trace.test"], traceparent, timeout={"days": 1})
    task = traced.last_task()
    collector.named(trace, ".matches")
    traced.world.rows("UPDATE launches SET due_at = now(), run_at = now() WHERE batch = $1", bytes.fromhex(task))
    (mail,) = collector.named(trace, "send email")

    assert ancestors(collector, mail)[-1] == span


@pytest.mark.promise("P-TRACE-03")
def test_a_provider_gets_the_span_of_its_attempt(traced: Stack, collector: Collector) -> None:
    trace, _, traceparent = client()
    send(traced, ["shop@trace.test"], traceparent, trigger_id=22)
    (attempt,) = collector.named(trace, "send webhook")
    given = [headers.get("traceparent") for path, headers in collector.posts if path == "/shop"]

    assert f"00-{trace}-{attempt.id}-01" in given


@pytest.mark.promise("P-TRACE-04")
def test_a_large_batch_has_spans_of_its_parts_and_counts_its_launches(traced: Stack, collector: Collector) -> None:
    trace, _, traceparent = client()
    send(traced, [f"many-{number}@trace.test" for number in range(MANY)], traceparent, trigger_id=22)
    pages: list[Span] = []

    def all_told() -> bool:
        pages[:] = [each for each in collector.of(trace) if each.name == "deliver"]
        return sum(int(each.attributes.get("profuse.launches.send", 0)) for each in pages) == MANY

    eventually(all_told, 60, lambda: f"{MANY} launches are told; there are {pages}")
    posted = {headers["traceparent"] for path, headers in collector.posts if path == "/shop" and trace in headers.get("traceparent", "")}

    assert len(collector.of(trace)) < MANY / 10
    assert posted == {f"00-{trace}-{page.id}-01" for page in pages}


@pytest.mark.promise("P-TRACE-05")
def test_what_failed_is_marked_and_nobody_is_named(traced: Stack, collector: Collector) -> None:
    trace, _, traceparent = client()
    send(traced, ["secret-ann@trace.test", "no address"], traceparent, matching="email", trigger_id=8)
    (mail,) = collector.named(trace, "send email")
    gateway = collector.named(trace, BATCH)
    failing, _, failed = client()
    send(traced, ["secret-bob@trace.test"], failed, trigger_id=8, data=[{"profile_id": "0" * 24, "data": {}}], matching="profile_id")
    (imports,) = collector.named(failing, ".imports")

    assert [span.attributes["profuse.items_failed"] for span in gateway] == [1]
    assert (imports.failed, imports.why) == (True, "items failed")
    assert not mail.failed
    sent = b"".join(collector.raw)
    assert not [word for word in (b"secret", b"trace.test", b"no address", TOKEN.encode(), b"Ann") if word in sent]


UGLY = [
    [GOOD[:-1]],
    [GOOD + "0"],
    [GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)],
    [GOOD.replace("b7ad6b7169203331", "0" * 16)],
    [GOOD.replace("0af7", "zzzz")],
    [GOOD.upper()],
    ["ff" + GOOD[2:]],
    [GOOD + "-tail"],
    [GOOD, GOOD],
    [GOOD, GOOD.replace("0af7", "1af7")],
    [f"{GOOD}, {GOOD}"],
    [GOOD + 10_000 * "-00"],
    [10_000 * "0"],
    [""],
    [b"\xff\xfe" + GOOD.encode()],
]


@pytest.mark.promise("P-TRACE-06")
@pytest.mark.parametrize("given", UGLY, ids=range(len(UGLY)))
def test_a_malformed_traceparent_is_as_good_as_none(traced: Stack, collector: Collector, given: list[str | bytes]) -> None:
    before = len(collector.spans)
    url = f"http://127.0.0.1:{traced.gateway.port}/api/v1.1/{BATCH}"
    body = {"token": TOKEN, "trigger_id": 8, "data": [{"data": {"email": "ugly@trace.test"}}]}
    headers = [("traceparent", each) for each in given]
    answer = httpx2.post(url, json=body, headers=headers, timeout=30)  # type: ignore[arg-type]  # bytes, as a client may write them
    ugly = traced.last_task()
    # Whoever ends later is told later, by the same process.
    trace, _, traceparent = client()
    send(traced, ["good@trace.test"], traceparent)
    collector.named(trace, BATCH)

    assert answer.json()["error"] == 0
    assert ugly not in {span.attributes.get("profuse.batch") for span in collector.spans[before:]}
    assert "traceparent" not in traced.logs()


@pytest.mark.promise("P-TRACE-07")
def test_nothing_travels_where_nothing_is_traced(pipeline: Stack) -> None:
    send(pipeline, ["off@trace.test"], GOOD)
    task = pipeline.last_task()
    pipeline.wait_launched(task)
    imports, matches = (
        [each for each in pipeline.world.headers(topic) if each["batch"] == task.encode()] for topic in ("imports", "matches")
    )

    assert [set(each) for each in (*imports, *matches)] == [{"batch", "item"}] * 2
    assert pipeline.world.value("SELECT count(*) FROM launches WHERE traceparent IS NOT NULL") == 0


@pytest.mark.promise("P-TRACE-07")
def test_of_a_request_that_is_not_sampled_nothing_travels_either(traced: Stack) -> None:
    send(traced, ["unsampled@trace.test"], GOOD[:-1] + "0")
    task = traced.last_task()
    traced.wait_launched(task)
    imports = [each for each in traced.world.headers("imports") if each["batch"] == task.encode()]

    assert [set(each) for each in imports] == [{"batch", "item"}]


@pytest.mark.promise("P-TRACE-08")
def test_a_collector_that_is_away_costs_spans_and_nothing_else(traced: Stack) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with traced.another_gateway(PROFUSE_TRACES=nobody, PROFUSE_TRACES_RATIO="1") as gateway:
        url = f"http://127.0.0.1:{gateway.port}/api/v1.1/{BATCH}"
        body = {"token": TOKEN, "trigger_id": 8, "data": [{"data": {"email": "away@trace.test"}}]}
        answers = [httpx2.post(url, json=body, timeout=30).json()["error"] for _ in range(5)]
        eventually(lambda: spans(gateway, "lost") == 5, 30, lambda: f"5 spans are lost; {spans(gateway, 'lost')} are")

    assert answers == [0] * 5
    assert gateway.log.read_text().count("spans_lost") == 1


@pytest.mark.promise("P-TRACE-09")
def test_a_matcher_that_is_killed_repeats_spans_and_nothing_else(traced: Stack, collector: Collector) -> None:
    trace, span, traceparent = client()
    (matcher,) = traced.matchers
    matcher.ask_to_stop()
    matcher.wait(10)
    # Its work is committed, and nobody has heard of it.
    matcher.start(PROFUSE_CRASH_AT="stream:committed")
    matcher.wait_ready()
    send(traced, ["killed@trace.test"], traceparent, path=f"{BATCH}_task")
    task = traced.last_task()
    eventually(lambda: not matcher.runs, 30, lambda: "the matcher is dead")
    traced.world.evict("matcher")
    traced.heal()
    (mail,) = collector.named(trace, "send email")
    (matches,) = collector.named(trace, ".matches")

    # The dead matcher took its own span along; those behind it are in the trace all the same.
    assert {each.trace for each in (mail, matches)} == {trace}
    assert collector.named(trace, "_task")[0].parent == span
    assert traced.answered_items(task) == traced.launched_items(task, 1) == [0]
    assert len(set(traced.sink.arrivals("killed@")["killed@trace.test"])) == 1


def spans(process: Process, fate: str) -> float:
    page = httpx2.get(f"http://127.0.0.1:{process.health_port}/metrics", timeout=5).text
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(f'profuse_spans_total{{fate="{fate}"}}'))
