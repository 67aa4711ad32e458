"""What a template's variables become."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.launcher.channels.templates import Rendered, TooLong, render_html, render_text

VARIABLES: dict[str, dict[str, Any]] = {
    "lead": {
        "_fname": "Ann",
        "_id": "07" * 12,
        "name": "<b>&\"'",
        "tags": ["a", "b"],
        "vip": True,
        "age": 7,
        "gone": None,
        "home": {"city": {"name": "Rome"}},
        "sly": "{apicontent.page}",
        "utm.source": "news",
        "utm": {"source": "no", "medium": "mail", "a.b": {"c": "deep"}},
        "utm.a": {"b": {"c": "longest"}},
    },
    "apicontent": {"page": "form"},
}


@pytest.mark.promise("P-LAUNCH-12")
@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {lead._fname}!", "Hello Ann!"),
        ("{lead._id}", "07" * 12),
        ("{apicontent.page}", "form"),
        ("{lead.home.city.name}", "Rome"),
        ("{lead.tags}, {lead.vip}, {lead.age}", "a, b, true, 7"),
        ("{lead.home}", '{"city":{"name":"Rome"}}'),
        ("{lead.utm.source}", "news"),
        ("{lead.utm.medium}", "mail"),
        ("{lead.utm.a.b.c}", "longest"),
    ],
)
def test_a_variable_shows_its_value(template: str, text: str) -> None:
    assert render_text(template, VARIABLES) == Rendered(text, 0)


@pytest.mark.promise("P-LAUNCH-12")
def test_values_are_escaped_in_html_and_only_there() -> None:
    assert render_html("<i>{lead.name}</i>", VARIABLES).text == "<i>&lt;b&gt;&amp;&quot;&#x27;</i>"
    assert render_text("{lead.name}", VARIABLES).text == "<b>&\"'"


@pytest.mark.promise("P-LAUNCH-13")
@pytest.mark.parametrize(
    "template", ["p { color: red }", '{"lead": 1}', "{lead}", "{lead.}", "{other.x}", "{ lead.x }", "{{}}", "{lead.a\nb}"]
)
def test_anything_else_in_braces_is_left_alone(template: str) -> None:
    assert render_html(template, VARIABLES) == Rendered(template, 0)


@pytest.mark.promise("P-LAUNCH-13")
@pytest.mark.parametrize("path", ["lead.nope", "lead.gone", "lead._fname.x", "lead.home.nope", "apicontent.nope", "lead.tags.0"])
def test_an_unknown_variable_renders_empty_and_is_counted(path: str) -> None:
    assert render_text("a{" + path + "}b{" + path + "}", VARIABLES) == Rendered("ab", 2)


def test_a_value_that_looks_like_a_variable_is_text() -> None:
    assert render_text("{lead.sly}", VARIABLES).text == "{apicontent.page}"


@given(st.text())
def test_no_value_breaks_out_of_html(value: str) -> None:
    text = render_html("{lead.x}", {"lead": {"x": value}, "apicontent": {}}).text

    assert not set("<>\"'") & set(text)


class Counting(dict[str, Any]):
    """Knows how often it was asked."""

    asked = 0

    def __getitem__(self, name: str) -> Any:
        self.asked += 1
        return super().__getitem__(name)


@pytest.mark.promise("P-LAUNCH-23")
def test_a_text_that_grows_too_long_is_given_up_while_it_grows() -> None:
    lead = Counting(x="ü" * 1_000_000)

    with pytest.raises(TooLong):
        render_text("{lead.x}" * 1_000, {"lead": lead, "apicontent": {}})

    assert lead.asked < 10
