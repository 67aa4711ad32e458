"""The example of an environment says what the settings say."""

from pathlib import Path

from profuse.describing import example

ROOT = Path(__file__).parents[2]


def test_the_example_environment_is_fresh() -> None:
    """If this fails: `make docs`."""
    assert (ROOT / ".env.example").read_text() == example()
