"""The generated page says what the code says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_page_is_fresh() -> None:
    """If this fails: `make docs`."""
    generate = runpy.run_path(str(DOCS / "generate.py"))

    assert (DOCS / "reference.md").read_text() == generate["page"]()
