"""Options that several commands take."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click

from harness.scenario.durations import literal_seconds
from master.config import Timings
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

_TIMERS: Final = {
    "command_timeout_s": "Age at which a dispatched command times out.",
    "command_scan_s": "How often stale commands are looked for.",
    "offline_after_s": "Silence after which a node is offline.",
    "offline_scan_s": "How often silent nodes are looked for.",
    "list_dir_timeout_s": "How long a directory listing waits for its agent.",
    "discover_timeout_s": "How long a database discovery waits for its agent.",
    "token_grace_s": "How long a rotated token still works.",
    "cron_second_s": "How long a second of cron expressions lasts.",
    "event_heartbeat_s": "The pause between two signs of life on an event stream.",
    "version_scan_s": "How often outdated agents are looked for.",
    "version_notice_s": "For how long an outdated agent is not told of again.",
    "metrics_scan_s": "How often the figures of /metrics are counted.",
}
"""What each of a master's timers is, by its name in `Timings`."""


def timer_options(*names: str, defaults: bool = True) -> Callable[[Any], Any]:
    """Return a decorator that adds options for a master's timers, in seconds.

    Args:
        names: of the timers, as `Timings` has them; all when left out.
        defaults: an option that is left out is the seed's timer; `None` otherwise.

    """

    def add(command: Any) -> Any:
        for timer in reversed(fields(Timings)):
            if names and timer.name not in names:
                continue
            command = click.option(
                f"--{timer.name.removesuffix('_s').replace('_', '-')}",
                timer.name,
                type=DURATION,
                default=f"{timer.default:g}s" if defaults else None,
                show_default=defaults,
                help=_TIMERS[timer.name],
            )(command)
        return command

    return add
