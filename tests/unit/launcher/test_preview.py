"""Both branches of each condition."""

import pytest

from schemas.templating.preview import Branches, branches
from schemas.templating.rendering import TooLong
from schemas.templating.templates import IncorrectTemplate

pytestmark = pytest.mark.promise("P-DOOR-38")
PRO = {"lead": {"plan": "pro", "name": "<A & B>", "long": "x" * 5_000_000}, "subscription": {}, "apicontent": {}, "": {}}


def found(key: str, template: str) -> list[tuple[str, str, bool, str, str]]:
    return [(each.where, each.written, each.holds, each.then, each.otherwise) for each in branches(key, template, PRO)]


def test_braces_that_are_no_condition_have_no_branches() -> None:
    assert found("html", "p { color: red } {else} {end} {if} {lead.plan}") == []
    assert found("text", "") == []
    assert found("sender", "{if lead.plan}a{end} <a@b.test>") == []


def test_what_cannot_be_read_or_is_too_long_is_no_branch() -> None:
    with pytest.raises(IncorrectTemplate):
        found("text", "{if lead.plan}")
    with pytest.raises(TooLong):
        found("text", "{if lead.gone}{lead.long}{end}")


def test_both_branches_are_shown_whichever_holds() -> None:
    (one,) = branches("text", "Hi\n {if lead.plan equal 'free'}a{else}b{end}", PRO)

    assert one == Branches("text, line 2, column 2", "{if lead.plan equal 'free'}", holds=False, then="a", otherwise="b")


def test_without_an_else_there_is_nothing_in_its_place() -> None:
    assert found("text", "{if lead.plan}a{end}") == [("text, line 1, column 1", "{if lead.plan}", True, "a", "")]


def test_conditions_inside_a_branch_that_is_not_taken_are_shown_too() -> None:
    inner = "{if lead.plan equal 'pro'}p{else}q{end}"
    shown = found("text", f"{{if lead.gone}}a{inner}{{else}}b{inner}{{end}}")

    assert [(written, holds, then, otherwise) for _, written, holds, then, otherwise in shown] == [
        ("{if lead.gone}", False, "ap", "bp"),
        ("{if lead.plan equal 'pro'}", True, "p", "q"),
        ("{if lead.plan equal 'pro'}", True, "p", "q"),
    ]


def test_values_are_spelled_as_they_are_where_they_stand() -> None:
    template = "{if lead.plan}{lead.name}{end}"

    assert [found(key, template)[0][3] for key in ("html", "text", "subject")] == ["&lt;A &amp; B&gt;", "<A & B>", "<A & B>"]
    assert found("link", "https://a.test/?n={if lead.plan}{lead.name}{end}")[0][3] == "%3CA%20%26%20B%3E"


def test_of_a_body_each_text_is_named_by_its_place() -> None:
    shown = found("body", '{"a": ["", {"b": "{if lead.plan}1{else}2{end}"}], "c": 7}')

    assert shown == [("body.a[1].b, line 1, column 1", "{if lead.plan}", True, "1", "2")]
