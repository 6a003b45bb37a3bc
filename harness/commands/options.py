"""Options that several commands take."""

from pathlib import Path
from typing import Any

import click

from harness.scenario.durations import literal_seconds
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES

_HERE = Path(__file__).resolve().parent.parent.parent / "scenarios"

SCENARIOS = _HERE.relative_to(Path.cwd()) if _HERE.is_relative_to(Path.cwd()) else _HERE
"""The scenarios that come with muster, by the shortest path to them."""


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
