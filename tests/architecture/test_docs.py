"""What the pages name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md"), ROOT / "tests/README.md"]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_PATH = re.compile(r"`((?:ingest|workers|schemas|runtime|store|profuse|migrations|bench|fuzz|tests|docs)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_is_there(page: Path) -> None:
    text = page.read_text()
    links = [page.parent / named for named in _LINK.findall(text)]
    paths = [ROOT / named for named in _PATH.findall(text)]

    assert [str(each.relative_to(ROOT)) for each in paths if not (each.exists() or each.with_suffix(".py").exists())] == []
    assert [str(each) for each in links if not each.exists()] == []
