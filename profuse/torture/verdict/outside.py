"""Mails, events and logs: each launch is told to the world at least once, as it should be, and nothing is told that nothing stands for."""

import re
from collections.abc import Iterator, Sequence

from profuse.torture.account import CALLED, WELCOME
from profuse.torture.requests import FILE, content_of
from profuse.torture.verdict.seen import Applied, Difference, Mail, Observed, difference, launches
from schemas import ids

_SUBJECT = re.compile(r"Version (\d+)")


def compared(done: Sequence[Applied], observed: Observed) -> Iterator[Difference]:
    called = observed.campaigns[CALLED]
    mailed = {
        launch: (each, campaign) for each in done if each.item.ending == "send" for launch, campaign in launches(each) if campaign != called
    }
    arrived = observed.arrivals().keys()
    yield difference("lost", mailed.keys() - arrived, "launches whose mail did not arrive")
    yield difference("doubled", arrived - mailed.keys(), "mails that nothing stands for")
    versions: dict[bytes, set[int]] = {}
    for each in done:
        versions.setdefault(each.profile, set()).add(each.item.number)
    welcome = observed.campaigns[WELCOME]
    strange = [
        mail.launch
        for mail in observed.mails
        if mail.launch in mailed and not _is_right(mail, *mailed[mail.launch], welcome=welcome, versions=versions)
    ]
    yield difference("wrong", strange, "mails with another recipient, version, page or file")
    yield from _events(done, observed)
    yield difference("wrong", observed.log_lines, "log lines with a traceback, address, phone or token")


def _is_right(mail: Mail, each: Applied, campaign: int, *, welcome: int, versions: dict[bytes, set[int]]) -> bool:
    if mail.to != each.item.inbox or not _shows_its_profile(mail, each, versions):
        return False
    # What an import sets off has neither content nor files.
    request = each.request if campaign == welcome and each.request.has_files else None
    return mail.text == f"<p>Page {request.id if request else ''}</p>" and mail.files == ({FILE: content_of(request)} if request else {})


def _shows_its_profile(mail: Mail, each: Applied, versions: dict[bytes, set[int]]) -> bool:
    version = _SUBJECT.fullmatch(mail.subject)
    if version is None:
        # A dead letter writes no version, and whom its replay creates has none yet.
        return each.item.is_refused and mail.subject.strip() == "Version"
    return int(version[1]) in versions[each.profile]


def _events(done: Sequence[Applied], observed: Observed) -> Iterator[Difference]:
    called, expected = observed.campaigns[CALLED], set[bytes]()
    for each in done:
        expected.add(_id(f"{each.batch.id.hex()}/{each.place}", "import_api"))
        for launch, campaign in launches(each):
            expected |= {_id(launch, "launch"), _id(launch, "send" if campaign == called else each.item.ending)}
    told = observed.events
    yield Difference("lost", len(expected - told.ids), "events that were not told")
    yield Difference("doubled", len(told.ids - expected), "events that nothing stands for")
    yield difference("wrong", told.contradictions, "events that were told again with other fields")
    yield difference("wrong", told.strange, "events with the custom_data of another item")


def _id(origin: str, event_type: str) -> bytes:
    return bytes.fromhex(ids.event_id(origin, event_type))
