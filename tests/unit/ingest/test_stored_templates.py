"""What requests may change of a campaign whose message was stored before something more was asked of messages."""

from typing import Any

import pytest

from ingest.endpoints.declaring import declare, make
from ingest.endpoints.parameters import checked
from ingest.endpoints.trigger_parameters import UpdateTrigger
from ingest.errors import Refused
from profuse.applying import desired
from profuse.applying.file import read
from store.configuration.model import Key, Kind, Stored, Values
from tests.unit.test_files_for_apply import ACCOUNT, DATABASE, TRIGGER

pytestmark = pytest.mark.promise("P-LAUNCH-19", "P-FAMILY-12")
# Each was sent as it is written, or cannot be read any more.
OLD = ["<p>{IF lead.plan}Pro{end}</p>", "<p>{if lead.plan equal &quot;pro&quot;}Pro</p>", "{if&nbsp;lead.plan equal}Pro{end}"]


def stored(html: str) -> Stored:
    things = {key: thing.values for key, thing in desired.wanted(read(ACCOUNT + DATABASE + TRIGGER)).items()}
    key = Key(Kind.TRIGGER, 1, 8)
    return Stored(things={**things, key: {**things[key], "html": html, "text": ""}})


def changed(html: str, **changes: Any) -> Values:
    return make(*declare(checked(UpdateTrigger, {"id": 8, **changes}), 1, stored(html))).values()


@pytest.mark.parametrize("html", OLD)
def test_a_campaign_whose_message_would_be_refused_today_can_be_stopped(html: str) -> None:
    values = changed(html, is_active=False)

    assert (values["active"], values["html"]) == (False, html)


@pytest.mark.parametrize("html", OLD)
def test_it_can_be_given_the_message_that_it_has(html: str) -> None:
    content = [{"subject": "Hi", "from_email": "demo@example.com", "html": html}]

    assert changed(html, content=content)["subject"] == "Hi"


@pytest.mark.parametrize("html", OLD)
@pytest.mark.parametrize("key", ["subject", "html", "text"])
def test_no_other_message_is_kept_from_being_asked(html: str, key: str) -> None:
    content = {"subject": "Hi", "from_email": "demo@example.com", "html": "<p>Hi</p>", key: f"Hi {html}"}
    with pytest.raises(Refused):
        changed(html, content=[content])


@pytest.mark.parametrize("html", OLD)
def test_what_it_has_is_not_taken_for_another_part_of_it(html: str) -> None:
    with pytest.raises(Refused):
        changed(html, content=[{"subject": html, "from_email": "demo@example.com", "html": html}])


@pytest.mark.parametrize("html", OLD)
def test_nor_are_styles_written_into_it(html: str) -> None:
    with pytest.raises(Refused) as refused:
        changed(html, inline_css=True)

    assert "condition" in str(refused.value.debug)
