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


def _chapters(text: str) -> set[str]:
    """As GitHub calls their places."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}
