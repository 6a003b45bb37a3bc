"""`muster run --target`: what the options say about a target together, and which make no sense."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from harness.commands.options import ALL_PROFILES
from harness.sites.file import ANY_VERSION, TargetFile, read_target
from harness.sites.order import Order

LONGEST_S: Final = 1_200.0
"""For how long a scenario may wait unless it is said otherwise: the timeouts take eleven minutes."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is played on.

    Attributes:
        clock: `virtual`, `real` or `warp`.
        profile: the release that it is judged as, or `all`.
        target: the target's file; `None` for a master that muster makes itself.
        order: how the target is to be played on.

    """

    clock: str
    profile: str
    target: TargetFile | None = None
    order: Order | None = None


def aim(
    target: Path | None,
    clock: str,
    profile: str,
    *,
    longest_s: float,
    keep: bool,
    reports: Iterable[Path | None],
) -> Aim:
    """Return what the options say.

    Args:
        target: the file of `--target`.
        clock: that of `--clock`.
        profile: that of `--profile`.
        longest_s: for how long a scenario may wait there, in real seconds.
        keep: leave everything there that scenarios make.
        reports: the files of reports; the log of a server that muster starts goes beside the first.

    Raises:
        click.UsageError: they make no sense together (exit 4).
        StopError: something is wrong with the target file (exit 4).

    """
    if target is None:
        for option in ("keep", "longest"):
            if _said(option):
                message = f"--{option} is for --target: nothing of a master of muster's own is kept"
                raise click.UsageError(message)
        return Aim(clock, profile)
    if _said("speed"):
        message = f"--speed is for servers that muster makes: how fast the target is, {target} says"
        raise click.UsageError(message)
    if _said("clock") and clock == "virtual":
        message = "--clock virtual is for the reference in this process, not for a --target"
        raise click.UsageError(message)
    if profile == ALL_PROFILES:
        raise click.UsageError(
            "--profile all is for the reference, which can be every release: name one, or leave it"
            f" out, and {target} decides"
        )
    file = read_target(target)
    if _said("profile"):  # whoever says it here wants it, whatever the server is
        file = replace(file, profile=profile, version=ANY_VERSION)
    order = Order(log_of(target, reports), longest_s, keep, warp=_said("clock") and clock == "warp")
    return Aim(clock if _said("clock") else "real", file.profile, file, order)


def log_of(target: Path, reports: Iterable[Path | None]) -> Path:
    """Return where the log of a server goes that muster starts.

    Args:
        target: the target file.
        reports: the files of reports; it goes beside the first.

    """
    folder = next((path.parent for path in reports if path is not None), target.parent)
    return folder / f"{target.stem}.server.log"


def _said(option: str) -> bool:
    """Return whether somebody gave an option, or its environment did."""
    source = click.get_current_context().get_parameter_source(option)
    return source is not ParameterSource.DEFAULT
