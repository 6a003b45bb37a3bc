"""Secrets of a target: where each is kept, never what it is.

A secret is read when it is needed, from a file or from an environment variable. It is in no target
file, no argument, no `repr`; whoever reads one tells the redactor of the history.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from harness.stop import StopError
from harness.verdict import Exit

BYTES_MAX: Final = 65_536
"""What is read of a file: no secret is longer."""


class Secret(Protocol):
    """Something that must not be shown, and where it is kept."""

    def read(self) -> str:
        """Return it.

        Raises:
            StopError: it is not where it was said to be (exit 4).

        """
        ...

    @property
    def warning(self) -> str | None:
        """Return what is unwise about how it is kept."""
        ...


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret that is the first line of a file.

    Attributes:
        path: the file.
        what: what the secret is, in the words of an error message.

    """

    path: Path
    what: str

    def read(self) -> str:
        """Return the secret, without the blanks around it.

        Raises:
            StopError: the file cannot be read, or holds no line or several.

        """
        try:
            with self.path.open("rb") as file:
                raw = file.read(BYTES_MAX)
            lines = raw.decode("utf-8").strip().splitlines()
        except OSError as error:
            raise self._stop(f"cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._stop("is no UTF-8 text") from None
        if len(lines) != 1:
            raise self._stop(f"should be its one line, and it has {len(lines)}")
        return lines[0].strip()

    @property
    def warning(self) -> str | None:
        """Return that everybody on this machine can read it.

        That is no mistake: what a container is given as a secret is mounted so.
        """
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return None  # said when it is read
        if not mode & 0o004:
            return None
        return f"{self.path}: everybody on this machine can read {self.what}: chmod 600 {self.path}"

    def _stop(self, fault: str) -> StopError:
        return StopError(Exit.USAGE, f"{self.path}: {self.what} {fault}")


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """A secret in an environment variable.

    Attributes:
        name: the variable.
        what: what the secret is, in the words of an error message.

    """

    name: str
    what: str

    def read(self) -> str:
        """Return the secret.

        Raises:
            StopError: the variable is not set, or empty.

        """
        value = os.environ.get(self.name, "")
        if not value.strip():
            state = "empty" if self.name in os.environ else "not set"
            raise StopError(
                Exit.USAGE,
                f"${self.name} is {state}: expected {self.what} in it, as the target file says",
            )
        return value

    @property
    def warning(self) -> str | None:
        """Return nothing: an environment is its owner's."""
        return None
