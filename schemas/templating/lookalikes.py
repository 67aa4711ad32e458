"""Pure: what somebody meant as a condition, and would be sent as it is written, with both its branches."""

import re
from dataclasses import dataclass
from html import unescape

from schemas.templating.conditions import SOURCES
from schemas.templating.scripts import is_script
from schemas.templating.tags import ELSE, END, Tag, tags
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
_CONDITION_SENT = "a condition, and would be sent as it is written"
_RULE = "one is {if and a blank, in small letters, and what it asks, on one line, without braces and semicolons"


@dataclass
class _Open:
    """A condition that has not ended: where it begins, and whether its `{else}` was there."""

    at: int
    has_else: bool = False


def check_lookalikes(template: str, *, html: bool = False, filled: bool = True) -> None:
    """Raises `IncorrectTemplate` for one with some; `filled`: its own conditions are none."""
    ours = {tag.at: tag for tag in tags(template, html=html)} if filled else {}
    opened: list[_Open] = []
    # Where a script's last `if` is, and where the last tag of ours ends.
    script, past = -1, 0
    for brace in _BRACE.finditer(template):
        at = brace.start()
        if at in ours:
            # An end of none is text, but behind what was taken for a script it is that one's.
            if not _belongs(ours[at], opened) and script > (opened[-1].at if opened else -1):
                why = f"it is read as a script, but {ours[at].written} at {place(template, at)} is of no other condition"
                raise IncorrectTemplate(f"{place(template, script)}: looks like {_CONDITION_SENT}: {why}")
            past = at + len(ours[at].written)
        elif at >= past:
            inside = unescape(_AROUND.sub(" ", brace["inside"]))
            asking = _asking(inside)
            if why := _meant(inside, asking, ends=bool(brace["ends"]), decided=bool(opened)):
                raise IncorrectTemplate(f"{place(template, at)}: looks like {why}")
            script = at if asking else script


def _belongs(tag: Tag, opened: list[_Open]) -> bool:
    """Whether it is not an end, or an else, too many."""
    if tag.condition:
        opened.append(_Open(tag.at))
    elif tag.written in (ELSE, END):
        if not opened or (tag.written == ELSE and opened[-1].has_else):
            return False
        opened[-1].has_else = True
        if tag.written == END:
            opened.pop()
    return True


def _asking(inside: str) -> re.Match[str] | None:
    """An `if` that asks for a value of ours."""
    found = _CONDITION.match(inside)
    return found if found and _VALUE.search(found["asked"]) else None


def _meant(inside: str, asking: re.Match[str] | None, *, ends: bool, decided: bool) -> str:
    """`decided`: a condition is around it."""
    if asking and _is_condition(asking, ends=ends):
        return f"{_CONDITION_SENT}: {_RULE}"
    # Elsewhere it is another language's.
    return "{else} or {end}, and would be sent as it is written" if decided and _PART.fullmatch(inside) else ""


def _is_condition(asking: re.Match[str], *, ends: bool) -> bool:
    # A script's `if` has a bracket, too, but no `else` before it.
    return bool(asking["other"]) or not asking["asked"].startswith("(") or (ends and not is_script(asking["asked"]))
