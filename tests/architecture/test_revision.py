"""The revision that every process asks for at its start."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from runtime.schema import REVISION


def test_it_is_that_of_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))

    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
