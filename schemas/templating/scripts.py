"""Pure: what stands behind an `if` of a page's script, and is no condition of ours."""

import re

# Brackets in quotes are none.
_MARK = re.compile(r""""[^"]*"|'[^']*'|[()]""")
# What a script does if it holds; conditions go on with words of their own, and may lack one by mistake.
_STATEMENT = re.compile(
    r"""\s*+(?!(?:and|or|not|equal|contains|in)\b)(?:
    (?:return|throw|delete|void|await|new|typeof|break|continue|debugger|if|for|while|do|try|switch|var|let|const)\b
    |(?!(?:lead|subscription|apicontent)\.)[\w$]++(?:[.(\[]|\s*+(?:[-+*/%&|^?]*+=(?!=)|\+\+|--))
    |\((?!not\b|(?:lead|subscription|apicontent)\.)[\w$.]++[()]
    |\+\+|--|/[/*]|!(?!=)|\[)""",
    re.IGNORECASE | re.VERBOSE,
)


def is_script(asked: str) -> bool:
    """Whether a statement follows the bracket."""
    begun, depth = asked.lstrip(), 0
    if not begun.startswith("("):
        return False
    for mark in _MARK.finditer(begun):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if depth == 0:
            return bool(_STATEMENT.match(begun, mark.end()))
    return False
