"""Ending a command with one line and an exit code."""

import click

from harness.verdict import Exit


class StopError(click.ClickException):
    """A mistake of the user, or of the world around: one line, no traceback.

    Args:
        code: the exit code.
        message: what was expected, what came, what to do.

    """

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code
