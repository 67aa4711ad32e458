"""What tests of migrations share."""

from pathlib import Path

# The newest: each migration is named by its number.
HEAD = max(path.name[:4] for path in (Path(__file__).parents[1] / "migrations" / "versions").glob("*.py"))
