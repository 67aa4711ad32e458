"""Which lines of the bench are measured."""

import pytest

from bench.lines import LINES, named


def test_a_line_is_named_by_any_of_its_keys_and_none_named_is_all() -> None:
    assert [line.keys for line in named(["changed", "single"])] == [["new", "changed"], ["single"]]
    assert named([]) == list(LINES)


def test_a_key_that_nothing_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no line has the key new,single: they are idle, new, changed,"):
        named(["new,single"])
