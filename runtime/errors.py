"""What the operator is told when the stack cannot do what was asked."""


class CannotRun(Exception):
    """One line that says what is wrong and what to do about it."""
