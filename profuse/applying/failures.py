"""What is wrong with a file."""

from runtime.errors import CannotRun


class BadFile(CannotRun):
    """Nothing was changed; a line for each thing that is wrong, with its place in the file."""
