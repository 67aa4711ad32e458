"""What a template's variables become."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.templating.rendering import Rendered, TooLong, render_html, render_text
from schemas.templating.templates import IncorrectTemplate, read

VARIABLES: dict[str, dict[str, Any]] = {
    "lead": {
        "_fname": "Ann",
        "_id": "07" * 12,
        "name": "<b>&\"'",
        "tags": ["a", "b"],
        "mixed": ["a", 7, ["c", "d"]],
        "vip": True,
        "age": 7,
        "gone": None,
        "home": {"city": {"name": "Rome"}},
        "sly": "{apicontent.page}",
        "utm.source": "news",
        "utm": {"source": "no", "medium": "mail", "a.b": {"c": "deep"}},
        "utm.a": {"b": {"c": "longest"}},
    },
    "subscription": {"email": "ann@example.com", "custom_fields": {"size": "XL"}},
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
        ("{subscription.email}, {subscription.custom_fields.size}", "ann@example.com, XL"),
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
    text = render_html("{lead.x}", {"lead": {"x": value}, "subscription": {}, "apicontent": {}}).text

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
        render_text("{lead.x}" * 1_000, {"lead": lead, "subscription": {}, "apicontent": {}})

    assert lead.asked < 10


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("lead._fname", True),
        ("lead.gone", False),
        ("lead.nope", False),
        ("not lead.nope", True),
        ("lead.vip", True),
        ('lead._fname equal "Ann"', True),
        ("lead._fname equal 'Ann'", True),
        ('lead._fname equal "ann"', False),
        ("lead.age equal 7", True),
        ('lead.age equal "7"', True),
        ("lead.vip equal true", True),
        ('lead.nope equal ""', True),
        ('lead.tags contains "a"', True),
        ('lead.tags contains "a, b"', False),
        ('"b" in lead.tags', True),
        ("lead.mixed contains 7", True),
        ('lead.mixed contains "c, d"', True),
        ('lead.mixed contains "d"', False),
        ('lead.home.city.name contains "om"', True),
        ("lead.home.city.name contains lead.nope", False),
        ('subscription.custom_fields.size equal "XL"', True),
        ('apicontent.page equal "form" and lead.vip', True),
        ("lead.nope or lead.gone", False),
        ("lead.nope or (lead.vip and (lead.age equal 7))", True),
        ("not (lead.vip and lead.age equal 8)", True),
        ("lead.vip and not lead.nope and lead._fname", True),
        ("lead.utm.source equal lead.nope", False),
    ],
)
def test_a_condition_chooses_what_is_shown(condition: str, holds: bool) -> None:
    rendered = render_text(f"<{{if {condition}}}yes {{lead.age}}{{else}}no{{end}}>", VARIABLES)

    assert rendered == Rendered("<yes 7>" if holds else "<no>", 0)


FLOATS: dict[str, dict[str, Any]] = {
    "lead": {"score": 5.0, "half": 1.5, "zero": 0.0, "less": -0.0, "large": 1e14, "huge": 1e15, "small": 1e-7, "list": [5.0, 2.5, [7.0]]},
    "subscription": {"custom_fields": {"size": 42.0}},
    "apicontent": {"price": {"sum": 10.0, "of": [1.0, 0.5], "name": "1.0", "tax": 1e300}, "text": "5.0"},
}


@pytest.mark.promise("P-LAUNCH-12")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lead.score", "5"),
        ("lead.half", "1.5"),
        ("lead.less", "0"),
        ("lead.large", "100000000000000"),
        ("lead.huge", "1000000000000000.0"),
        ("lead.small", "1e-7"),
        ("lead.list", "5, 2.5, 7"),
        ("subscription.custom_fields.size", "42"),
        ("apicontent.price.sum", "10"),
        ("apicontent.price", '{"sum":10,"of":[1,0.5],"name":"1.0","tax":1e300}'),
        ("apicontent.text", "5.0"),
    ],
)
def test_a_whole_number_of_a_float_is_shown_as_it_was_given(path: str, text: str) -> None:
    assert render_text(f"{{{path}}}", FLOATS).text == text


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("lead.score equal 5", True),
        ("lead.score equal 5.0", True),
        ("lead.score equal 5.00", True),
        ('lead.score equal "5"', True),
        ("lead.score equal 5.1", False),
        ("lead.half equal 1.50", True),
        ("lead.half equal 1.5", True),
        ("lead.zero", False),
        ("0.0", False),
        ("lead.zero equal -0.0", True),
        ("5 in lead.list", True),
        ("5.0 in lead.list", True),
        ("lead.score in lead.list", True),
        ("lead.list contains 2.50", True),
        ("lead.list contains 7", True),
        ("subscription.custom_fields.size equal 42", True),
        ("apicontent.price.sum equal 10", True),
        ("apicontent.price contains '\"sum\":10,'", True),
        ("apicontent.text equal '5.0'", True),
    ],
)
def test_a_float_is_compared_as_it_was_given(condition: str, holds: bool) -> None:
    assert render_text(f"{{if {condition}}}yes{{else}}no{{end}}", FLOATS).text == ("yes" if holds else "no")


def test_a_number_with_a_zero_before_it_is_what_it_looks_like() -> None:
    of_rome = VARIABLES | {"lead": {"zip": "00118"}}

    assert render_text("{if lead.zip equal 00118}yes{end}", of_rome).text == "yes"


@pytest.mark.promise("P-LAUNCH-19")
def test_conditions_may_stand_in_one_another_and_lack_their_else() -> None:
    template = "{if lead.vip}a{if lead.gone}b{else}c{if lead.age}d{end}{end}e{end}{if lead.gone}f{end}"

    assert render_text(template, VARIABLES).text == "acde"


@pytest.mark.promise("P-LAUNCH-13")
@pytest.mark.parametrize("template", ["{end}", "{else}", "a {end} b", "{if}", "{if (a) b(); }", "{if\nlead.x}"])
def test_what_ends_no_condition_is_text(template: str) -> None:
    assert render_text(template, VARIABLES) == Rendered(template, 0)


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("a\n bc{if lead.x}", "line 2, column 4: the condition has no {end}"),
        ("{if lead.a}{if lead.b}{end}", "line 1, column 1: the condition has no {end}"),
        ("{if lead.x equal}{end}", "line 1, column 1: the condition ends too early"),
        ("{if (lead.x}{end}", "line 1, column 1: the condition has a bracket that does not close"),
        ("{if lead.x) }{end}", "line 1, column 1: the condition does not go on with )"),
        ('{if lead.x equal "a}{end}', "line 1, column 1: the condition has a quote that does not end"),
        ("{if name}{end}", "line 1, column 1: the condition does not know name"),
        ("{if lead.}{end}", "line 1, column 1: the condition does not know lead."),
        ("{if lead.a equal lead.b equal lead.c}{end}", "line 1, column 1: the condition does not go on with equal"),
        ("{if " + "(" * 400 + "}", "line 1, column 1: the condition has more than 32 brackets inside one another"),
        ("{if lead.x}" * 33, "line 1, column 353: more than 32 conditions inside one another"),
        ("{if " + "lead.x and " * 100 + "}", "line 1, column 1: the condition has more than 1000 characters"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_with_its_place(template: str, why: str) -> None:
    with pytest.raises(IncorrectTemplate) as refused:
        read(template)

    assert str(refused.value) == why
