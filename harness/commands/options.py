"""Options that several commands take."""

from pathlib import Path
from typing import Any, Final

import click

from harness.scenario.durations import literal_seconds
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES

SCENARIOS: Final = Path(__file__).resolve().parent.parent.parent / "scenarios"
"""The scenarios that come with muster."""


def shortest(path: Path) -> Path:
    """Return a whole path as it is seen from the current folder, where it is below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class DurationType(click.ParamType[float]):
    """A length of time with its unit, in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds of a text such as `10m` or `1.5s`."""
        if isinstance(value, float):
            return value
        try:
            seconds = literal_seconds(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not seconds > 0:
            self.fail(f"expected more than 0 seconds, got {value}", param, ctx)
        return seconds


DURATION = DurationType()

profile_option = click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=DEFAULT_PROFILE,
    show_default=True,
    help="The release to be, or to be judged as.",
)

ALL_PROFILES: Final = "all"
"""Stands for every profile, one after the other."""

played_profile_option = click.option(
    "--profile",
    type=click.Choice([*PROFILES, ALL_PROFILES]),
    default=DEFAULT_PROFILE,
    show_default=True,
    help=f"The release to be judged as; {ALL_PROFILES} plays every one.",
)
