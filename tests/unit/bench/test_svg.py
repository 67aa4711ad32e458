"""Charts are well-formed, and show what they are given where it belongs."""

import re
from xml.etree import ElementTree

from bench import svg

_NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_names_are_escaped() -> None:
    drawn = svg.bars("a < b & c", "µs", {"<new>": {"one & two": 1.0, "three": 2.0}})

    texts = [text.text for text in ElementTree.fromstring(drawn).iter(f"{_NAMESPACE}text")]  # noqa: S314  # our own text
    assert texts == ["a < b & c", "<new>", "3 µs", "one & two", "three"]


def test_bars_are_as_long_as_what_they_show() -> None:
    drawn = svg.bars("", "", {"a": {"part": 1.0}, "b": {"part": 4.0}})

    (short, long) = [float(width) for width in re.findall(r'width="([\d.]+)" height="26"', drawn)]
    assert abs(long / short - 4) < 0.01


def test_a_line_goes_through_its_points_from_the_left_bottom_to_the_right_top() -> None:
    drawn = svg.lines("", "", {"a": [(1, 10), (100, 1000)]}, svg.Axis(1, 100, logarithmic=True), svg.logarithmic([10, 1000]))

    (way,) = re.findall(r'points="([^"]+)"', drawn)
    assert way == "150.0,460.0 730.0,40.0"


def test_a_logarithmic_axis_holds_whole_powers_of_ten() -> None:
    axis = svg.logarithmic([3, 2000])

    assert list(axis.ticks()) == [1, 10, 100, 1000, 10000]


def test_a_linear_axis_has_few_round_ticks() -> None:
    assert [round(tick, 6) for tick in svg.Axis(0, 1).ticks()] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
