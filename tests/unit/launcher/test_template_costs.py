"""What a template may look at, and how much of it is read: both are done while all other launches wait."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from schemas.templating import filling
from schemas.templating.budget import TooCostly
from schemas.templating.filling import check_leaves, filled
from schemas.templating.json_templates import parsed
from schemas.templating.rendering import Rendered, render_html, render_link, render_text
from schemas.templating.templates import IncorrectTemplate, read
from tests.launching import launch
from tests.unit.launcher.test_mails import DOMAIN, NOW
from workers.launcher.channels.channel import Rejected
from workers.launcher.channels.email.mail import compose
from workers.launcher.channels.http.messages import compose as compose_message

pytestmark = pytest.mark.promise("P-LAUNCH-44")

LARGE: dict[str, Any] = {
    "tags": [f"{number:x}" for number in range(100_000)],
    "numbers": list(range(100_000)),
    "lists": [[]] * 100_000,
    "nested": [[["a"] * 100] * 100] * 10,
    "text": "a" * 1_000_000,
    "object": {f"key{number}": number for number in range(60_000)},
    "floats": {f"key{number}": float(number) for number in range(60_000)},
}
VARIABLES: dict[str, dict[str, Any]] = {"lead": LARGE, "subscription": {}, "apicontent": {}}
OFTEN = 1_000


@pytest.mark.parametrize("field", list(LARGE))
@pytest.mark.parametrize("condition", ["lead.{} contains 'q'", "'q' in lead.{}", "lead.{0} equal lead.{0}"])
def test_conditions_on_a_large_field_are_given_up(field: str, condition: str) -> None:
    template = f"{{if {condition.format(field)}}}{{end}}"

    assert render_html(template, VARIABLES).unknown == 0
    with pytest.raises(TooCostly):
        render_html(template * OFTEN, VARIABLES)


@pytest.mark.parametrize("whole", [{"x": [0.0] * 200_000}, {"x": {str(number): 0.0 for number in range(200_000)}}], ids=["array", "object"])
def test_floats_inside_an_object_cost_what_it_takes_to_look_for_them(whole: dict[str, Any]) -> None:
    """Their characters alone would allow twenty times as many."""
    template = "{if lead.x equal 'q'}{end}"
    variables = VARIABLES | {"lead": {"x": whole}}

    assert render_html(template, variables).unknown == 0
    with pytest.raises(TooCostly):
        render_html(template * 3, variables)


@pytest.mark.parametrize("field", ["object", "tags"])
def test_what_is_made_a_text_to_be_compared_counts_however_short_the_other_is(field: str) -> None:
    with pytest.raises(TooCostly):
        render_html(f"{{if lead.{field} equal 'q'}}{{end}}" * OFTEN, VARIABLES)


@pytest.mark.parametrize("field", [["a" * 960_000], ["a" * 900_000, "😀"], [["a" * 480_000, "é"], ["b" * 480_000]]])
@pytest.mark.parametrize("condition", ["lead.x equal 1", "lead.x in 1", "lead.y contains lead.x"])
def test_few_long_texts_in_a_list_cost_what_they_are_long(field: list[Any], condition: str) -> None:
    variables = VARIABLES | {"lead": {"x": field, "y": "y"}}
    template = f"{{if {condition}}}{{end}}"

    assert render_html(template, variables).text == ""
    with pytest.raises(TooCostly):
        render_html(template * OFTEN, variables)


def test_long_texts_that_differ_in_their_last_character_are_given_up() -> None:
    lead = {"x": [f"{'a' * 9_000}{number}😀" for number in range(10, 99)], "y": "a" * 9_000 + "00😀"}

    with pytest.raises(TooCostly):
        render_html("{if lead.x contains lead.y}{end}" * OFTEN, VARIABLES | {"lead": lead})


@pytest.mark.parametrize("render", [render_text, render_html, render_link])
def test_a_long_list_that_is_shown_often_is_given_up(render: Callable[..., Rendered]) -> None:
    with pytest.raises(TooCostly):
        render("{lead.lists}" * 10, VARIABLES | {"lead": {"lists": LARGE["lists"]}})


def test_the_texts_of_a_body_have_one_budget() -> None:
    condition = "{if lead.tags contains 'q'}{end}"

    assert filled(json.dumps([condition]), VARIABLES).text == '[""]'
    with pytest.raises(TooCostly):
        filled(json.dumps([condition] * OFTEN), VARIABLES)


def test_a_thousand_conditions_on_what_people_have_are_none_too_many() -> None:
    lead = {"tags": [f"tag {number:03}" for number in range(500)], "plan": "pro"}
    template = "{if lead.tags contains 'tag 499' and lead.plan equal 'pro'}a{end}"

    assert render_html(template * OFTEN, VARIABLES | {"lead": lead}).text == "a" * OFTEN


def test_a_long_text_among_texts_of_other_lengths_is_none_too_many() -> None:
    lead = {"x": ["a" * 90_000, "b" * 80_000], "y": "a" * 80_001}

    assert render_html("{if lead.x contains lead.y}{end}" * OFTEN, VARIABLES | {"lead": lead}).text == ""


def test_a_launch_that_looks_at_too_much_fails_with_its_reason() -> None:
    template = "{if lead.tags contains 'q'}{end}" * OFTEN
    for channel in (launch(lead=LARGE, html=template), launch(lead=LARGE, channel="sms", text=template)):
        with pytest.raises(Rejected, match="too many conditions on large fields"):
            compose(channel, NOW, DOMAIN) if channel.campaign.channel == "email" else compose_message(channel, NOW, None)


@pytest.mark.parametrize("check", [read, lambda template: parsed(json.dumps(template))])
@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{if lead.x}{end}" * 20_000, "its conditions have more than 100,000 characters together"),
        ("{lead." + "x." * 33 + "x}", "line 1, column 1: names a value by more than 1000 characters or 32 dots"),
        ("{lead." + "x" * 1_001 + "}", "line 1, column 1: names a value by more than 1000 characters or 32 dots"),
        ("{if lead." + "x." * 33 + "x}{end}", "line 1, column 1: the condition names a value by more than 1000 characters or 32 dots"),
    ],
)
def test_what_would_take_long_to_read_or_to_look_up_is_refused(check: Callable[[str], Any], template: str, why: str) -> None:
    with pytest.raises(IncorrectTemplate) as refused:
        check(template)

    assert str(refused.value) == why


def test_the_conditions_of_a_body_count_together() -> None:
    with pytest.raises(IncorrectTemplate, match="together"):
        parsed(json.dumps(["{if lead.x}{end}"] * 20_000))


def test_a_member_with_a_long_name_costs_what_it_is_long() -> None:
    seconds = {}
    for name in ("k", "k" * 2_000_000):
        body = f'{{"{name}":[{"1," * 99_999}1]}}'
        began = time.thread_time()
        assert filled(body, VARIABLES).text == body
        seconds[len(name)] = time.thread_time() - began

    # Were each element's place a text, eighty times as much.
    assert seconds[2_000_000] < 5 * (seconds[1] + 0.05)


@pytest.mark.parametrize(
    "body",
    ["[" + "1," * 10_000 + "1]", "[" + "[]," * 10_000 + "[]]", "[" + '"",' * 10_000 + '""]', json.dumps({str(n): n for n in range(5_001)})],
    ids=["numbers", "arrays", "texts", "members"],
)
def test_a_body_of_many_values_is_refused_and_one_that_was_stored_before_is_sent(body: str) -> None:
    with pytest.raises(IncorrectTemplate, match=r"^has more than 10,000 names and values$"):
        check_leaves(body)

    assert json.loads(filled(body, VARIABLES).text) == json.loads(body)


@pytest.mark.parametrize(
    "body", [json.dumps([", [ { 1 \\" * 20_000, "{lead.x}"] * 4), "[" + ",".join("1" * 9_999) + "]"], ids=["texts", "numbers"]
)
def test_what_stands_in_a_text_is_one_value(body: str) -> None:
    check_leaves(body)


def test_too_many_values_are_counted_before_anything_is_made_of_them() -> None:
    with pytest.raises(IncorrectTemplate, match="names and values"):
        check_leaves("[" * 100_000)
    # Were it looked for an end of each text, they would be counted for minutes.
    with pytest.raises(IncorrectTemplate, match="is no JSON"):
        check_leaves('\\"' * 500_000)


def test_a_body_is_read_once_and_its_fixed_texts_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"fixed": ["a {else}", 1, None, {}], "filled": "{lead.name}", "more": [True, "é"]})
    first = filled(body, VARIABLES | {"lead": {"name": 'A"n'}})
    read: list[str] = []
    write = filling._json

    def noted(text: str) -> str:
        read.append(text)
        return write(text)

    monkeypatch.setattr(filling, "parsed", read.append)
    monkeypatch.setattr(filling, "_json", noted)
    again = filled(body, VARIABLES | {"lead": {"name": "Bob"}})

    assert read == ["Bob"]
    assert json.loads(first.text) == json.loads(body) | {"filled": 'A"n'}
    assert json.loads(again.text) == json.loads(body) | {"filled": "Bob"}


def test_a_place_is_named_shortly() -> None:
    with pytest.raises(IncorrectTemplate) as refused:
        check_leaves(json.dumps({"k" * 700_000: [1, {"b": "{if lead.x}"}]}))

    assert str(refused.value) == f".{'k' * 100}…[1].b, line 1, column 1: the condition has no {{end}}"
    with pytest.raises(IncorrectTemplate, match=f"^has the member {'k' * 100}… more than once$"):
        check_leaves('{"K": 1, "K": 2}'.replace("K", "k" * 700_000))
