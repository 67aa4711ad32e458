"""A pytest plugin that holds docs/promises.md and the tests' `promise` markers together."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "promises.md"

_LINE = re.compile(r"^- \*\*(?P<id>P-[A-Z]+-\d\d)\*\* (?P<text>.+?)(?P<later> \(later\))?$")


class UnclearPage(Exception):
    """A line of docs/promises.md is no promise, or uses an id again."""


@dataclass(frozen=True)
class Promise:
    """One line of docs/promises.md."""

    id: str
    text: str
    later: bool


def read(page: str) -> dict[str, Promise]:
    """The promises of a page, by id."""
    promises: dict[str, Promise] = {}
    for line in page.splitlines():
        if not line.startswith("- **"):
            continue
        found = _LINE.match(line)
        if found is None or found["id"] in promises:
            raise UnclearPage(line)
        promises[found["id"]] = Promise(found["id"], found["text"], later=found["later"] is not None)
    return promises


def marked(folder: Path) -> set[str]:
    """The ids in the markers of a folder's tests, read from their source: right in partial runs too."""
    return {found for path in folder.rglob("*.py") for found in _ids(ast.parse(path.read_text()))}


def unshown(promises: Iterable[Promise], shown: set[str]) -> list[Promise]:
    """The promises that no test proves."""
    return [promise for promise in promises if promise.id not in shown]


def _ids(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "promise":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = read(PAGE.read_text())
    for item in items:
        for marker in item.iter_markers("promise"):
            if not marker.args or not known.keys() >= set(marker.args):
                raise pytest.UsageError(f"{item.nodeid} proves {marker.args}, which docs/promises.md does not know")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    # Somebody who runs a part wants to hear of that part.
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword or config.option.markexpr:
        return
    missing = unshown(read(PAGE.read_text()).values(), marked(TESTS))
    now = [promise for promise in missing if not promise.later]
    terminalreporter.section("promises")
    terminalreporter.line(f"{len(now)} without a test, {len(missing) - len(now)} not built yet")
    for promise in (*now, *(promise for promise in missing if promise.later)):
        terminalreporter.line(f"{promise.id} {'(later) ' * promise.later}{promise.text}")
