"""Pure: what somebody meant as a condition, and would be sent as it is written, with both its branches."""

import re
from html import unescape

from schemas.templating.conditions import SOURCES
from schemas.templating.tags import tags
from schemas.templating.templates import IncorrectTemplate, place

# To the next brace: what is inside one another is asked one by one, and each letter once.
_BRACE = re.compile(r"\{(?P<inside>[^{}]*+)(?P<ends>\}?)")
# An editor's elements, and what is not seen.
_AROUND = re.compile(r"<[^<>]*+>|[\u00ad\u200b-\u200f\u2060\ufeff]")
_CONDITION = re.compile(r"[\s%#~-]*+(?P<other>else\s*+|els?(?=if))?if(?=[\s(\"'])\s*+(?P<asked>.*)", re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(rf"\b(?:{'|'.join(SOURCES)})\.\w", re.IGNORECASE)
# What a condition would not go on with behind a bracket.
_SCRIPT = re.compile(r"\)\s*+(?!\)|(?:and|or|equal|contains|in)\b)\S")
_PART = re.compile(r"\s*+(?:else|end(?:\s*+if)?)\s*+", re.IGNORECASE)
_RULE = "one is {if and a blank, in small letters, and what it asks, on one line, without braces and semicolons"


def check_lookalikes(template: str, *, html: bool = False, filled: bool = True) -> None:
    """Raises `IncorrectTemplate` for one with some; `filled`: its own conditions are none."""
    ours = list(tags(template, html=html)) if filled else []
    taken, has_conditions = {tag.at for tag in ours}, any(tag.condition for tag in ours)
    for brace in _BRACE.finditer(template):
        if brace.start() in taken:
            continue
        inside = unescape(_AROUND.sub(" ", brace["inside"]))
        if _is_condition(inside, ends=bool(brace["ends"])):
            raise IncorrectTemplate(
                f"{place(template, brace.start())}: looks like a condition, and would be sent as it is written: {_RULE}"
            )
        if has_conditions and _PART.fullmatch(inside):
            raise IncorrectTemplate(f"{place(template, brace.start())}: looks like {{else}} or {{end}}, and would be sent as it is written")


def _is_condition(inside: str, *, ends: bool) -> bool:
    found = _CONDITION.match(inside)
    if found is None or not _VALUE.search(found["asked"]):
        return False
    # A script's `if` has a bracket, too, but no `else` before it.
    return bool(found["other"]) or not found["asked"].startswith("(") or (ends and not _SCRIPT.search(found["asked"]))
