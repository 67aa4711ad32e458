"""What is wrong with a file."""

from profuse.stack.failures import CannotRun


class BadFile(CannotRun):
    """Nothing was changed; a line for each thing that is wrong, with its place in the file."""
