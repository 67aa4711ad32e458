"""Looks at all that is left when the torture is over, and completes the report."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profuse.stack.supervisor import mail_in
from profuse.torture.account import CALLED
from profuse.torture.chronicle import Chronicle, Span
from profuse.torture.model import OURS
from profuse.torture.neighbours.accounts import POLITE
from profuse.torture.observing import observe, received, tables
from profuse.torture.observing.mails import arrived
from profuse.torture.producers import Producer
from profuse.torture.report import Report
from profuse.torture.verdict import differences, hooks, neighbours, webhooks
from profuse.torture.verdict.ends import ends, unexplained
from profuse.torture.verdict.mails import BROKEN_OFF, plainly_due, repeats, waits
from profuse.torture.verdict.seen import Applied, Call, Difference, Mail, Observed, Post, applied, difference, together
from schemas.settings import Settings

# Where the receiver notes what it gets, in the stack's directory.
RECEIVED = "received"


@dataclass(frozen=True)
class Run:
    """Who took part, and what they said."""

    producers: Sequence[Producer]
    chronicle: Chronicle
    hostile: Mapping[str, Any]
    polite: Mapping[str, Any]


async def conclude(report: Report, run: Run, settings: Settings, directory: Path) -> None:
    requests = [request for producer in run.producers for request in producer.requests]
    mails = await asyncio.to_thread(lambda: list(arrived(mail_in(directory), OURS)))
    calls = await asyncio.to_thread(lambda: list(received.calls(directory / RECEIVED)))
    posts = await asyncio.to_thread(lambda: list(received.posts(directory / RECEIVED)))
    ours = [mail for mail in mails if mail.to.endswith(OURS)]
    observed = await observe(settings, directory, requests, ours)
    async with tables.open_tables(settings) as connection:
        report.deleted = await tables.deleted(connection, settings)
        unanswered = await tables.unanswered(connection, run.hostile["gone"])
        due = await tables.due(connection, POLITE)
    done = applied(requests, observed)
    _count(report, run, observed, done)
    _count_received(report, calls, posts)
    surprises = [surprise for producer in run.producers for surprise in producer.surprises]
    report.differences = together(
        [
            difference("wrong", surprises, "answers that no fault explains"),
            *differences(requests, observed),
            *webhooks.compared(done, calls, observed),
            *hooks.compared(observed.events.order, posts),
            *_of_time(report, run.chronicle, plainly_due(done, observed.campaigns[CALLED]), ours),
            *_of_neighbours(report, run, waits(due, mails), unanswered),
            *repeats([mail for mail in mails if not _breaks(mail)], run.chronicle),
            *repeats([mail for mail in mails if _breaks(mail)], run.chronicle, BROKEN_OFF),
            *repeats([call for call in calls if call.in_time], run.chronicle),
            *unexplained(await asyncio.to_thread(lambda: _ends(directory)), report.signals),
        ]
    )


def _count(report: Report, run: Run, observed: Observed, done: Sequence[Applied]) -> None:
    requests = [request for producer in run.producers for request in producer.requests]
    report.requests = len(requests)
    report.unacknowledged = sum(not request.is_acknowledged for request in requests)
    report.answers = sum((producer.answers for producer in run.producers), Counter())
    report.items = len(done)
    report.failed = Counter(entry["error_text"] for batch in observed.batches.values() for _, entry in batch.errors)
    report.replayed = sum(each.item.is_refused for each in done)
    report.profiles = len(observed.profiles)
    report.launches = sum(items.total() for batch in observed.batches.values() for items in batch.launches.values())
    report.mails = len(observed.arrivals())
    report.repeats = len(observed.mails) - report.mails
    report.calm = sum(calm.ended - calm.began for calm in run.chronicle.calms)


def _count_received(report: Report, calls: Sequence[Call], posts: Sequence[Post]) -> None:
    report.webhooks = len({call.launch for call in calls})
    report.webhooks_again = len(calls) - report.webhooks
    report.posts = len({(post.account, post.id) for post in posts})
    report.posts_again = len(posts) - report.posts
    report.hooked = Counter({f"account {account}": 0 for account in {post.account for post in posts}})
    for post in {(post.account, post.id): post for post in posts}.values():
        report.hooked[f"account {post.account}"] += len(post.events)


def _of_time(report: Report, chronicle: Chronicle, due: Mapping[str, float], ours: Sequence[Mail]) -> Iterator[Difference]:
    spans = waits(due, ours)
    # What never arrived is lost, and not late.
    ever = [span.ended - span.began for span in spans if span.ended < math.inf]
    report.latest = max(ever, default=0.0)
    calm = list(chronicle.waited(spans, neighbours.LATE_IN_CALM))
    report.latest_in_calm = max(calm, default=0.0)
    return neighbours.launched(calm, ever)


def _of_neighbours(report: Report, run: Run, launches: Sequence[Span], unanswered: Sequence[str]) -> Iterator[Difference]:
    answers = [Span(sent, math.inf if ended is None else ended) for sent, ended in run.polite["waits"]]
    report.polite_answers = list(run.chronicle.waited(answers, neighbours.ANSWERED * report.slowness))
    report.polite_launches = list(run.chronicle.waited(launches, neighbours.LAUNCHED * report.slowness))
    report.hostile_answers = Counter(run.hostile["answers"])
    report.hostile_items = run.hostile["ended"]
    yield difference("wrong", run.polite["surprises"], "answers to the polite account")
    yield from neighbours.polite(report.polite_answers, report.polite_launches, report.slowness)
    yield from neighbours.hostile(run.hostile, unanswered)


def _breaks(mail: Mail) -> bool:
    return "@breaks." in mail.to


def _ends(directory: Path) -> list[Any]:
    with (directory / "log" / "supervisor.log").open(errors="replace") as lines:
        return list(ends(lines))
