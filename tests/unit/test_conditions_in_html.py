"""What a condition of a mail's HTML keeps from a reader is in none of the versions that are made of it."""

import pytest

from schemas.templating.rendering import Rendered, render_html, render_text
from store.configuration import messaging
from store.configuration.messaging import inlined, plain

CODE = "Your gold code: {apicontent.code}"
ROWS = f"<table>{{if lead.tier equal 'gold'}}<tr><td>{CODE}</td></tr>{{else}}<tr><td>Collect points.</td></tr>{{end}}</table>"
IN_ONE_PLACE_ONLY = {
    "in a comment": f"<!--{{if lead.tier equal 'gold'}}--><p>{CODE}</p><!--{{end}}-->",
    "around one in a comment": f"<!--{{if lead.tier equal 'gold'}}-->{{if lead.tier}}x{{end}}<p>{CODE}</p><!--{{end}}-->",
    "in a value": f"""<p style="{{if lead.tier equal 'gold'}}{{else}}display:none{{end}}">{CODE}</p>""",
    "in an element": f"<p {{if lead.tier equal 'gold'}}{{else}}hidden{{end}}>{CODE}</p>",
    "half in a value": "<p title='{if lead.tier equal 1}'>x{end}</p>",
    "not shown": f"""<p style="display:none">{{if lead.tier equal 'gold'}}</p>{CODE}<p style="display:none">{{end}}</p>""",
    "in a title": "<html><head><title>{if lead.tier equal 'gold'}Gold{end}</title></head><body>Hello</body></html>",
    "with blanks": "<p>{if lead.tier equal 'gold  plus'}Gold{end}</p>",
    "no condition, on two lines": "<p>{if lead.tier equal\n'gold'}Gold{end}</p>",
    "no condition, in entities": "<p>&#123;if lead.tier equal 'gold'}Gold&#123;end}</p>",
    "no placeholder, in entities": "<p>Write &#123;lead.tier} there</p>",
}
ROW = "<tr><td><img src='https://shop.test/code.png'></td></tr>"


def filled(template: str, tier: str, *, html: bool = False) -> str:
    variables = {"lead": {"tier": tier}, "subscription": {}, "apicontent": {"code": "GOLD-77"}}
    rendered: Rendered = render_html(template, variables) if html else render_text(template, variables)
    return " ".join(rendered.text.split())


@pytest.mark.promise("P-LAUNCH-49")
def test_rows_that_are_for_some_readers_are_for_these_in_the_plain_part() -> None:
    made = plain(f"<p>Hello</p>{ROWS}<p>Bye</p>")

    assert filled(made, "gold") == "Hello Your gold code: GOLD-77 Bye"
    assert filled(made, "free") == "Hello Collect points. Bye"


@pytest.mark.promise("P-LAUNCH-49")
def test_cells_side_by_side_are_no_part_of_each_others_conditions() -> None:
    made = plain("<table><tr><td>{if lead.tier equal 'gold'}<br>Gold<br>{end}</td><td>A<br>B</td><td>C</td></tr></table>")

    assert filled(made, "free") == "A B C"


@pytest.mark.promise("P-LAUNCH-49")
@pytest.mark.parametrize("html", IN_ONE_PLACE_ONLY.values(), ids=IN_ONE_PLACE_ONLY)
def test_a_condition_that_the_plain_part_would_not_have_leaves_a_mail_without_one(html: str) -> None:
    assert plain(html) == ""


@pytest.mark.promise("P-LAUNCH-40", "P-LAUNCH-49")
def test_conditions_cost_a_mail_neither_its_plain_part_nor_its_tables() -> None:
    head = "<head><title>News</title><style>p { color: red }</style></head>"
    hidden = "<div style='display:none'>What is in it</div><!--[if mso]><p>For one program</p><![endif]-->"
    link = "<a href='{unsubscribe}' title='{lead.none}'>Unsubscribe</a>"
    table = "<table><tr><td>Item</td><td>Price</td></tr></table>"
    items = "<ul>{if lead.tier equal 'gold'}<li>Gold</li>{end}<li>All</li></ul>"
    made = plain(f"<html>{head}<body>{hidden}{items}{table}{link}</body></html>")

    assert filled(made, "gold") == "* Gold * All Item Price Unsubscribe"
    assert "Item  Price" in made


@pytest.mark.promise("P-LAUNCH-45")
@pytest.mark.parametrize(
    "rows", [f"{{if lead.tier}}{ROW}{{end}}", f"{{if lead.tier}}{ROW}{{else}}{ROW}{{end}}", "{if lead.tier}<tr><td></td></tr>{end}"]
)
def test_styles_are_not_inlined_where_a_condition_would_lose_what_it_is_about(rows: str) -> None:
    with pytest.raises(ValueError, match="its styles cannot be written into its elements"):
        inlined(f"<style>td {{ color: red }}</style><table>{rows}<tr><td>Hello</td></tr></table>")


@pytest.mark.promise("P-LAUNCH-45")
@pytest.mark.parametrize("inner", ["{}", "{{if lead.name}}{}{{end}}", "x{{else}}{}"])
def test_styles_that_are_for_some_readers_are_not_inlined_for_everybody(inner: str) -> None:
    styles = inner.format("<style>.code { display: block }</style>")
    with pytest.raises(ValueError, match="its styles cannot be written into its elements"):
        inlined("{if lead.tier equal 'gold'}" + styles + "{end}<p class='code'>GOLD-77</p>")


def test_html_without_conditions_may_be_as_odd_as_its_words_stay() -> None:
    assert "Hello {lead.tier}" in inlined("<style>p { color: red }</style><tr><td>Hello {lead.tier}</td></tr>")


def test_an_element_without_an_end_is_looked_at_once() -> None:
    html = "<" + "a" * 1_000_000

    assert messaging._read_by_people(html, elements=True) == html


@pytest.mark.promise("P-LAUNCH-45")
@pytest.mark.parametrize("tier", ["gold", "free"])
def test_inlined_styles_leave_conditions_where_they_are(tier: str) -> None:
    html = (
        "<style>p { color: red }</style><table><td>{if lead.tier equal 'gold'}<p><b>Gold<p>Plus</b><img src='gold.png'>"
        "{else}<p>All<br></br>{end}<hr></td></table>"
    )

    assert filled(plain(inlined(html)), tier) == filled(plain(html), tier)
    assert ("gold.png" in filled(inlined(html), tier, html=True)) is (tier == "gold")
