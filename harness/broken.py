"""How a scenario ends before its last step."""

from harness.expect import Mismatch
from harness.scenario.model import Step


class UnexpectedError(Exception):
    """Something was not as the scenario says.

    Attributes:
        step: the step that says so.
        mismatch: what was expected, and what was seen.

    """

    def __init__(self, step: Step, mismatch: Mismatch) -> None:
        super().__init__(str(mismatch))
        self.step = step
        self.mismatch = mismatch


class UndecidedError(Exception):
    """The run cannot tell: a reply was lost where none should have been."""


class MistakeError(UndecidedError):
    """The scenario asks for what cannot be, whatever the master does."""


class SetUpError(UndecidedError):
    """The master would not let the scenario be set up."""
