"""Ending a command with one line and an exit code."""

from typing import Any, TypeVar

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


E = TypeVar("E", bound=BaseException)


def first(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of a group."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error


def first_message(group: BaseExceptionGroup[Any]) -> str:
    """Return what the first error of a group says."""
    return str(first(group))
