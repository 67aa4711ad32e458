"""Templates as editors of HTML write them, and what only looks like one."""

import json
from contextlib import suppress
from re import escape
from typing import Any

import pytest

from profuse.applying import BadDeclaration
from profuse.applying.file import read as read_file
from schemas.templating.filling import filled
from schemas.templating.preview import branches
from schemas.templating.rendering import Rendered, render_html, render_link, render_text
from schemas.templating.templates import IncorrectTemplate, read
from store.configuration.messaging import html_template, inlined, json_template, plain, template
from tests.unit.test_files_for_apply import ACCOUNT, TRIGGER

PRO: dict[str, dict[str, Any]] = {
    "lead": {
        "plan": "pro",
        "city": "München",
        "shop": "R&D",
        "odd": "a;b",
        "two": "a\u00a0b",
        "sign": "&& a>b",
        "R&D": "labs",
        "braces": "{x}",
    },
    "subscription": {},
    "apicontent": {},
}
AS_EDITORS_WRITE = [
    "lead.plan equal &quot;pro&quot;",
    "lead.plan equal &#34;pro&#34;",
    "lead.plan equal &#x22;pro&#X22;",
    "lead.plan equal &#39;pro&#39;",
    "lead.plan equal &#039;pro&#039;",
    "lead.plan equal &apos;pro&apos;",
    "lead.plan&nbsp;equal&#160;&quot;pro&quot;",
    "&nbsp;lead.plan equal 'pro'",
    "&#xa0; lead.plan&nbsp;",
    "(lead.plan&nbsp;equal&nbsp;'pro')&nbsp;and&nbsp;not&nbsp;lead.none",
    "lead.city equal &quot;M&uuml;nchen&quot;",
    "lead.shop equal 'R&amp;D'",
    "lead.shop equal 'R&D'",
    "lead.sign equal '&amp;&amp; a>b'",
    "lead.odd equal 'a&semi;b'",
    "lead.two equal 'a&nbsp;b'",
    'lead.two equal "a&nbsp;b"',
    "lead.braces equal '&lbrace;x&rbrace;'",
]
BLANKS = [
    "lead.plan\u00a0equal\u00a0'pro'",
    "\u00a0lead.plan",
    "\u202flead.plan equal\u3000'pro'",
    "not\u00a0lead.none",
    "lead.two equal 'a\u00a0b'",
]


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("asked", [*AS_EDITORS_WRITE, *BLANKS])
def test_a_condition_means_what_was_written_into_the_editor(asked: str) -> None:
    for blank in (" ", "&nbsp;", "\u00a0", "&#160;"):
        written = f"{{if{blank}{asked}}}yes{{else}}no{{end}}"

        assert render_html(html_template(written), PRO) == Rendered("yes", 0)


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("asked", BLANKS)
def test_in_every_template_a_no_break_space_is_a_blank(asked: str) -> None:
    written = f"{{if\u00a0{asked}}}yes{{else}}no{{end}}"

    assert {render_text(template(written), PRO).text, render_link(written, PRO).text} == {"yes"}
    assert filled(json_template(f'["{written}"]'), PRO).text == '["yes"]'


@pytest.mark.promise("P-LAUNCH-12")
def test_so_does_a_placeholder_in_html_and_nowhere_else() -> None:
    assert render_html("{lead.R&amp;D} {lead.plan&nbsp;}", PRO) == Rendered("labs pro", 0)
    assert render_text("{lead.R&D} {lead.R&amp;D}", PRO) == Rendered("labs ", 1)


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(("asked", "sign"), [
    ("lead.score>5", ">"),
    ("lead.score&gt;5", ">"),
    ("lead.plan==free", "=="),
    ("lead.plan!=pro", "!="),
    ('lead.plan="pro"', "="),
    ("!lead.plan", "!"),
    ("lead.score&lt;5||lead.plan", "<"),
    ("lead.plan||lead.city", "||"),
    ("lead.plan&amp;&amp;lead.city", "&&"),
])  # fmt: skip
def test_a_comparison_without_blanks_is_no_name(asked: str, sign: str) -> None:
    with pytest.raises(ValueError, match=f"^line 1, column 1: the condition does not go on with {escape(sign)}$"):
        html_template(f"{{if {asked}}}a{{else}}b{{end}}")


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(("asked", "why"), [
    ("lead.plan equal &ldquo;pro&rdquo;", "does not know \u201cpro\u201d"),
    ("lead.plan equal &quot;pro", "has a quote that does not end"),
])  # fmt: skip
def test_what_an_entity_does_not_mend_is_refused(asked: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^line 1, column 1: the condition {why}"):
        html_template(f"{{if {asked}}}{{end}}")


MEANT = [
    "{if\nlead.plan}",
    "{if lead.plan\r\n equal 'pro'}",
    "{if lead.plan equal 'a;b'}",
    "{if lead.plan equal '{pro}'}",
    "{if lead.plan",
    "{ if lead.plan}",
    "{\u00a0if lead.plan}",
    "{If lead.plan}",
    "{IF Lead.plan}",
    "{if(lead.plan)}",
    "{if(lead.plan equal 'pro') or subscription.email}",
    "{if(lead.plan) and (lead.plan equal 'pro')}",
    "{if((lead.plan) )}",
    "{if'pro' equal apicontent.plan}",
    "{if\u200blead.plan}",
    "{\ufeffif lead.plan}",
    "{if&ensp;lead.plan}",
    "{if lead.plan equal &nosuch;}",
    "{if lead.plan equal &amp;quot;pro&amp;quot;}",
    "{<b>if</b> lead.plan}",
    '{if <span style="color: red;">lead.plan</span>}',
    "{% if lead.plan %}",
    "{#if lead.plan}",
    "{{#if lead.plan}}",
    "{else if lead.plan}",
    "{elseif lead.plan}",
    "{elif (lead.plan)}",
    "{else if (lead.plan) && lead.city}",
    "{if not\nlead.plan}",
    "&#123;if lead.plan equal &quot;pro&quot;&#125;",
    "&#x7B;if lead.plan&#X7d;",
    "&lbrace;if lead.plan}",
    "{if lead.plan&rcub;",
    "&lcub;x&rcub; &lcub;if(lead.plan)&rcub;",
    "{if(lead.plan) && lead.city}",
    "{if(lead.plan) And lead.city}",
    "{if(lead.plan equal ') return')}",
    '{if(lead.plan equal ") return")}',
]
ONLY_IN_TEXT = ["{if&nbsp;lead.plan}", "{if lead.plan equal &quot;pro&quot;}", "{if (lead.plan&nbsp;equal&nbsp;1)}"]


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("meant", [*MEANT, *ONLY_IN_TEXT])
def test_what_looks_like_a_condition_and_is_none_is_refused(meant: str) -> None:
    for check in (template,) if meant in ONLY_IN_TEXT else (template, html_template):
        with pytest.raises(ValueError, match=r"^line 2, column ([23]|16): looks like a condition, and would be sent as it is written"):
            check(f"<p>\n {meant}Pro{{end}}")


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("meant", ["{Else}", "{ else }", "{END}", "{endif}", "{end if}", "{&nbsp;end}", "{end ", "&#123;end}"])
def test_so_is_what_looks_like_the_rest_of_one(meant: str) -> None:
    with pytest.raises(ValueError, match=r"^line 1, column 12: looks like \{else\} or \{end\}, and would be sent as it is written"):
        html_template(f"{{if lead.x}}{meant}{{end}}")
    with pytest.raises(ValueError, match="looks like"):
        html_template(f"{{end}}{{if lead.x}}{meant}{{end}}")

    assert html_template(f"no condition {meant}")
    assert html_template(f"{meant} {{if lead.x}}{{end}} {meant}")


@pytest.mark.promise("P-LAUNCH-19")
def test_what_is_in_quotes_of_a_condition_is_not_looked_at() -> None:
    assert html_template("{if lead.x equal '&lbrace;end&rbrace;'}{end}{if lead.x equal '&lbrace;if lead.x&rbrace;'}{end}")


ALONE = [
    "p { color: red } @media print { if { x: y; } }",
    '{"if": "lead.plan", "lead": {"plan": 1}}',
    "{if: lead.plan}",
    "{iffy lead.plan}",
    "{if (a) b(); }",
    "<script>function f(){if(lead.plan){g();}else{h();}}</script>",
    "<script>function f(){if (lead.plan > 5) { g(); } }</script>",
    "<script>function f(){if(lead.plan)return g(lead.plan)}</script>",
    "<script>function f(){if(lead.plan)g();if (lead.a) h(); }</script>",
    "<script>function f(){if(g(lead.plan))h()}</script>",
    "<script>function f(){if(lead.plan)(h())}</script>",
    "<script>function f(){if(lead.plan)orders()}</script>",
    "<script>function f(){if (a) return b&&cc;}</script>",
    "<script>function f(){if (a) return b}</script>",
    "<script>function f(){if (lead.plan) return 1}</script>",
    "<script>function f(){if (lead.plan > 5) g()}</script>",
    "<script>function f(){if (lead.plan) x.y = lead.plan}</script>",
    "<script>function f(){if ((lead.plan)) x=1}</script>",
    "<script>function f(){if (lead.plan == ')') (h)()}</script>",
    "<script>function f(){if (!lead.plan) /* no */ ++i}</script>",
    "{{#if customer.subscription.active}}x{{/if}}",
    "{% if customer.subscription.plan == 'x' %}y{% endif %}",
    "{{#if order.lead.time}}x{{/if}}",
    "{{#if my_lead.time}}x{{/if}}",
    "<!--[if mso]>{lead.plan}<![endif]-->",
    "{else}{end}{if}{if }",
    "{ lead.plan }",
]


@pytest.mark.promise("P-LAUNCH-13", "P-LAUNCH-19")
@pytest.mark.parametrize("script", ALONE)
def test_what_is_written_in_other_languages_is_left_alone(script: str) -> None:
    assert template(html_template(script)) == script
    assert render_html(script.replace("{lead.plan}", ""), PRO) == Rendered(script.replace("{lead.plan}", ""), 0)


@pytest.mark.promise("P-LAUNCH-13", "P-LAUNCH-19")
@pytest.mark.parametrize("end", ["query{ a(id: 7) { start end } }", "query{ a { end } }", "const { end } = range;"])
def test_an_end_of_another_language_is_left_alone_behind_a_condition(end: str) -> None:
    written = f"{{if lead.plan}}1{{else}}2{{end}} {end}"

    assert filled(json_template(json.dumps([written])), PRO).text == f'["1 {end}"]'
    assert render_html(html_template(written), PRO).text == f"1 {end}"


TAKEN_FOR_SCRIPTS = [
    '{if (lead.city) equals("Rome")}Ciao{else}Hi{end}',
    '{if (lead.city) equals("Rome")}Ciao{end}',
    '{if (lead.city) equals("Rome");}Ciao{else}Hi{end}',
    '{if (lead.city equal "{x}")}Ciao{end}',
    '{if (lead.city) equals("Rome")}{if lead.plan}Ciao{else}Hi{end}{end}',
]


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("meant", TAKEN_FOR_SCRIPTS)
@pytest.mark.parametrize("around", ["", "{if lead.plan}x{end}", "{end}{else}"])
def test_no_script_has_an_else_or_an_end(meant: str, around: str) -> None:
    why = r"it is read as a script, but \{(else|end)\} at line 2, column \d+ is of no other condition"
    for check in (template, html_template):
        with pytest.raises(ValueError, match=f"^line 2, column 1: looks like a condition, and would be sent as it is written: {why}$"):
            check(f"{around}\n{meant}")


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("meant", [
    "{if lead.plan}a{if (lead.age) gt(18)}b{else}c{end} d{end} e",
    "{if lead.plan}a{if (lead.age) gt(18)}b{end} d{else}e{end}",
    "{if lead.plan}a{if (lead.age) gt(18)}b{else}c{else}d{end}",
    "{if lead.plan}a{else}d{if (lead.age) gt(18)}b{else}c{end}",
    "{if lead.plan}{if lead.city}a{if (lead.age) gt(18)}b{else}c{end} d{end}{end} e",
])  # fmt: skip
def test_nor_is_one_of_a_condition_around_it(meant: str) -> None:
    at = meant.index("{if (") + 1
    for check in (template, html_template):
        with pytest.raises(ValueError, match=f"^line 1, column {at}: looks like a condition"):
            check(meant)


@pytest.mark.promise("P-LAUNCH-13", "P-LAUNCH-19")
@pytest.mark.parametrize("script", [script for script in ALONE if "script" in script])
def test_a_script_is_left_alone_beside_and_in_conditions(script: str) -> None:
    for written in (
        f"{{if lead.plan}}{script}{{else}}{script}{{end}}{script}",
        f"{{end}}{{else}}{script}{{if lead.plan}}a{{else}}b{{end}}",
        f"{{if lead.x}}{{else}}{{else}}{{end}}{script}",
        f"{script}{{if lead.x}}{{else}}{{else}}{{end}}",
    ):
        assert template(html_template(written)) == written


BRACKETED = [
    "(lead.plan equal 'pro') and (lead.shop equal 'R&D')",
    "(lead.none) or(lead.plan)",
    "((lead.plan) ) equal 'pro'",
    "('pro') in lead.plan",
    '(lead.plan) contains("pr")',
    "not (lead.none)",
    "(lead.plan equal ') return x(' or lead.plan)",
]


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("asked", BRACKETED)
def test_a_condition_in_brackets_is_no_script(asked: str) -> None:
    assert render_html(html_template(f"{{if {asked}}}yes{{else}}no{{end}}"), PRO).text == "yes"


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize("asked", [
    "(lead.a) && (lead.b)",
    "(lead.a) And (lead.b)",
    "(lead.a) (lead.b)",
    "(lead.a) lead.b",
    "(lead.a) equals (lead.b)",
    "(lead.a) == 'b'",
    "(lead.a) is 'b'",
    "(lead.a) (not lead.b)",
    "(lead.a) NOT(lead.b)",
    "(lead.a) != 1",
    "(lead.a",
])  # fmt: skip
def test_nor_is_one_that_is_wrong_behind_its_bracket(asked: str) -> None:
    with pytest.raises(ValueError, match=r"^line 1, column 1: the condition "):
        html_template(f"{{if {asked}}}a{{else}}b{{end}}")


@pytest.mark.promise("P-LAUNCH-19")
@pytest.mark.parametrize(("key", "text"), [("subject", "{If lead.x}"), ("html", "{if lead.x\\nequal 1}")])
def test_apply_names_the_key_and_the_place(key: str, text: str) -> None:
    file = ACCOUNT + TRIGGER.replace('"<p>Hello</p>"' if key == "html" else '"Hello"', f'"x{text}"', 1)
    with pytest.raises(BadDeclaration, match=rf"^accounts\[0\]\.triggers\[0\]\.{key}: line 1, column 2: looks like a condition"):
        read_file(file)


@pytest.mark.promise("P-LAUNCH-19", "P-LAUNCH-36")
@pytest.mark.parametrize(("body", "why"), [
    ('{"a": ["{If lead.x}"]}', r"\.a\[0\], line 1, column 1: looks like a condition"),
    ('{"a": ["{if lead.x>5}a{end}"]}', r"\.a\[0\], line 1, column 1: the condition does not go on with >"),
    ('"{if&nbsp;lead.x}"', "line 1, column 1: looks like a condition"),
    ('{"{if lead.x}a{end}": 1}', r"\.\{if lead\.x\}a\{end\}, line 1, column 1: looks like a condition"),
])  # fmt: skip
def test_a_body_names_the_member_and_fills_no_names(body: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        json_template(body)


@pytest.mark.promise("P-LAUNCH-49")
@pytest.mark.parametrize("asked", AS_EDITORS_WRITE[:-1])
def test_the_plain_part_asks_the_same_or_is_none(asked: str) -> None:
    html = f"<p>Hello</p><p>{{if&nbsp;{asked}}}Pro{{else}}Others{{end}}</p>"
    made = plain(html)

    # A text has no way to write a semicolon, and its blanks are simple ones.
    assert bool(made) is not any(each in asked for each in ("&semi;", "a&nbsp;b"))
    assert not made or render_text(made, PRO).text.split() == ["Hello", "Pro"]


@pytest.mark.promise("P-LAUNCH-45")
@pytest.mark.parametrize("asked", [asked for asked in (*AS_EDITORS_WRITE[:-1], *BLANKS) if "&semi;" not in asked])
def test_styles_are_inlined_around_conditions_of_editors(asked: str) -> None:
    html = f"<style>p {{ color: red }}</style><p title='x'>{{if {asked}}}Pro{{else}}Others{{end}} a&nbsp;b &amp; c</p>"
    written = inlined(html)

    assert "color: red" in written
    assert "Pro a&nbsp;b &amp; c" in render_html(written, PRO).text


@pytest.mark.promise("P-DOOR-38")
def test_a_preview_reads_them_as_they_are_sent() -> None:
    (html,) = branches("html", "{if&nbsp;lead.plan equal &quot;pro&quot;}a{end}", PRO)

    assert (html.written, html.holds) == ("{if&nbsp;lead.plan equal &quot;pro&quot;}", True)
    assert list(branches("text", "{if&nbsp;lead.plan equal &quot;pro&quot;}a{end}", PRO)) == []


# Half a second is enough; with a way back it takes minutes.
@pytest.mark.timeout(10)
@pytest.mark.promise("P-LAUNCH-44")
@pytest.mark.parametrize(
    "letter",
    [
        "{",
        "{if ",
        "{if (",
        " ",
        "&nbsp;",
        "&",
        "&quot",
        "<",
        "{if <",
        "{if lead.",
        "{else ",
        "{if\u00a0",
        "&#0",
        "&lbrace;",
        "{if (lead.x) a",
    ],
)
def test_long_rows_of_what_may_begin_a_condition_are_looked_at_once(letter: str) -> None:
    for text in (letter * 50_000, "{if" + letter * 50_000, "{if " + letter * 50_000 + "lead.x"):
        for check in (template, html_template):
            with suppress(ValueError):
                assert check(text) == text


@pytest.mark.promise("P-LAUNCH-44")
def test_entities_do_not_make_conditions_longer_than_they_may_be() -> None:
    with pytest.raises(IncorrectTemplate, match="together"):
        read("{if lead.x&nbsp;}{end}" * 20_000, html=True)
