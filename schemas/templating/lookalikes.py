"""Pure: what somebody meant as a condition, and would be sent as it is written, with both its branches."""

import re
from html import unescape

from schemas.templating.conditions import SOURCES
from schemas.templating.scripts import is_script
from schemas.templating.tags import END, Tag, tags
from schemas.templating.templates import IncorrectTemplate, place

_OPENS, _CLOSES = r"\{|&(?:#0*+123|#[xX]0*+7[bB]|lbrace|lcub);", r"\}|&(?:#0*+125|#[xX]0*+7[dD]|rbrace|rcub);"
# To the next brace, which an editor may have written as an entity: what is inside one another is asked one by one, and each letter once.
_BRACE = re.compile(rf"(?:{_OPENS})(?P<inside>(?:[^{{}}&]|(?!{_OPENS}|{_CLOSES})&)*+)(?P<ends>{_CLOSES})?+")
# An editor's elements, and what is not seen.
_AROUND = re.compile(r"<[^<>]*+>|[\u00ad\u200b-\u200f\u2060\ufeff]")
_CONDITION = re.compile(r"[\s%#~-]*+(?P<other>else\s*+|els?(?=if))?if(?=[\s(\"'])\s*+(?P<asked>.*)", re.IGNORECASE | re.DOTALL)
# Values of other systems may have such a name inside theirs.
_VALUE = re.compile(rf"(?<![\w.])(?:{'|'.join(SOURCES)})\.\w", re.IGNORECASE)
_PART = re.compile(r"\s*+(?:else|end(?:\s*+if)?)\s*+", re.IGNORECASE)
_RULE = "one is {if and a blank, in small letters, and what it asks, on one line, without braces and semicolons"


def check_lookalikes(template: str, *, html: bool = False, filled: bool = True) -> None:
    """Raises `IncorrectTemplate` for one with some; `filled`: its own conditions are none."""
    ours = {tag.at: tag for tag in tags(template, html=html)} if filled else {}
    # Conditions that have not ended, and where the last tag of ours does.
    opened, past = 0, 0
    for brace in _BRACE.finditer(template):
        at = brace.start()
        if at in ours:
            # An end of none is text.
            opened = max(0, opened + _opens(ours[at]))
            past = at + len(ours[at].written)
        elif at >= past and (why := _meant(brace, decided=opened > 0)):
            raise IncorrectTemplate(f"{place(template, at)}: looks like {why}")


def _opens(tag: Tag) -> int:
    return 1 if tag.condition else -(tag.written == END)


def _meant(brace: re.Match[str], *, decided: bool) -> str:
    """`decided`: a condition is around it."""
    inside = unescape(_AROUND.sub(" ", brace["inside"]))
    if _is_condition(inside, ends=bool(brace["ends"])):
        return f"a condition, and would be sent as it is written: {_RULE}"
    # Elsewhere it is another language's.
    return "{else} or {end}, and would be sent as it is written" if decided and _PART.fullmatch(inside) else ""


def _is_condition(inside: str, *, ends: bool) -> bool:
    found = _CONDITION.match(inside)
    if found is None or not _VALUE.search(found["asked"]):
        return False
    # A script's `if` has a bracket, too, but no `else` before it.
    return bool(found["other"]) or not found["asked"].startswith("(") or (ends and not is_script(found["asked"]))
