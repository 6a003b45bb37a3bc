"""The two loops that act when nobody asks: commands gone stale, nodes gone quiet.

Each ticks first after one whole interval, then at fixed distances from its start, as Go's tickers
do. One command that cannot be expired does not keep the others waiting.
"""

import logging
from collections.abc import Callable

from master.now import Now
from master.service import agents, timeouts
from master.state import State

log = logging.getLogger("muster.master")


async def every(state: State, interval_s: float, act: Callable[[State, Now], object]) -> None:
    """Call `act` at each tick, for ever; a late one at once, and only the last of several."""
    tick_s = state.clock.monotonic_s()
    while True:
        missed = (state.clock.monotonic_s() - tick_s) // interval_s
        tick_s += interval_s * max(missed, 1)
        await state.clock.sleep_until(tick_s)
        try:
            act(state, Now.of(state.clock))
        except Exception as error:  # the next tick tries again, as the real master does
            log.warning("monitor %s: %s", act.__name__, error, exc_info=True)


def expire_stale_commands(state: State, now: Now) -> int:
    """Time out every stale command with what it was for; return how many were."""
    expired = 0
    for command in timeouts.stale_commands(state, now):
        try:
            expired += timeouts.expire_command(state, command, now)
        except Exception as error:  # whatever is wrong with one row, the others go on
            log.warning("command %d cannot be timed out: %s", command.id, error, exc_info=True)
    if expired:
        log.info("timed out %d stale commands", expired)
    return expired


def silence_quiet_nodes(state: State, now: Now) -> int:
    """Mark the nodes offline that were silent for too long; return how many were."""
    silenced = agents.silence_nodes(state, now)
    if silenced:
        log.info("marked %d silent nodes offline", silenced)
    return silenced


async def watch_commands(state: State) -> None:
    """Look for stale commands, for ever."""
    await every(state, state.config.timings.command_scan_s, expire_stale_commands)


async def watch_nodes(state: State) -> None:
    """Look for silent nodes, for ever."""
    await every(state, state.config.timings.offline_scan_s, silence_quiet_nodes)
