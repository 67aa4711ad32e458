"""docs/scaling.md has a key for every table."""

import re
from pathlib import Path

from schemas.tables import metadata

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_every_table_has_a_key_on_the_page() -> None:
    _, citus = PAGE.read_text().split("\n## Citus", 1)
    named = {name for row in citus.splitlines() if row.startswith("|") for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == set(metadata.tables)
