"""What the pages name is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from profuse.__main__ import app

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md"), ROOT / "tests/README.md"]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_PLACE = re.compile(r"\]\((?!https?:)([^)#]*\.md)?#([^)]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"`profuse ([a-z][a-z-]*)")
_PATH = re.compile(r"`((?:ingest|workers|schemas|runtime|store|profuse|migrations|bench|fuzz|tests|docs|deploy)/[\w./-]+)`")

_LOGGED = re.compile(r"""(?:\blog(?:ger)?\.(?:warning|error|exception)|database_may_be_away)\(\s*"([a-z_]+)\"""")
ROOMS = ("ingest", "workers", "runtime", "store", "profuse/console")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_is_there(page: Path) -> None:
    text = page.read_text()
    links = [page.parent / named for named in _LINK.findall(text)]
    paths = [ROOT / named for named in _PATH.findall(text)]

    assert [str(each.relative_to(ROOT)) for each in paths if not (each.exists() or each.with_suffix(".py").exists())] == []
    assert [str(each) for each in links if not each.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_leads_only_to_chapters_that_are_there(page: Path) -> None:
    places = [(page.parent / named if named else page, chapter) for named, chapter in _PLACE.findall(page.read_text())]

    assert [f"{to.name}#{chapter}" for to, chapter in places if chapter not in _chapters(to.read_text())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_commands_that_are_there(page: Path) -> None:
    assert set(_COMMAND.findall(page.read_text())) - set(get_command(app).commands) == set()  # type: ignore[attr-defined]


def test_what_each_warning_means_and_what_to_do_about_it_is_told_to_operators() -> None:
    logged = {name for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")) for name in _LOGGED.findall(file.read_text())}
    told = (ROOT / "docs/operations.md").read_text()

    assert {"server_away", "hook_stopped", "pace_waits"} <= logged
    assert sorted(name for name in logged if f"`{name}`" not in told) == []


def _chapters(text: str) -> set[str]:
    """As GitHub calls their places."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}
