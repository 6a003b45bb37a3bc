"""Ending a command with one line and an exit code."""

from typing import Any

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


def first_message(group: BaseExceptionGroup[Any]) -> str:
    """Return what the first error of a group says."""
    error = group.exceptions[0]
    return first_message(error) if isinstance(error, BaseExceptionGroup) else str(error)
