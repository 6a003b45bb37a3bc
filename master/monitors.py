"""The loops that act when nobody asks: on stale commands, quiet nodes, outdated agents, figures.

Each ticks first after one whole interval, then at fixed distances from its start, as Go's tickers
do. One command that cannot be expired does not keep the others waiting.
"""

import logging
from collections.abc import Callable

from master import metrics
from master.admin.dashboard import version_status
from master.now import Now
from master.protocol.times import NS
from master.service import agents, timeouts
from master.state import State
from master.store import nodes
from master.store.rows import Node

log = logging.getLogger("muster.master")


async def every(state: State, interval_s: float, act: Callable[[State, Now], object]) -> None:
    """Call `act` at each tick, for ever; a late one at once, and only the last of several."""
    tick_s = state.clock.monotonic_s()
    while True:
        missed = (state.clock.monotonic_s() - tick_s) // interval_s
        tick_s += interval_s * max(missed, 1)
        await state.clock.sleep_until(tick_s)
        _try(state, act)


def _try(state: State, act: Callable[[State, Now], object]) -> None:
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


async def watch_versions(state: State) -> None:
    """Look for outdated agents at once, so before anybody listens, and then now and again, for ever.

    Each node is told of once in a while, until it is no longer outdated or gone
    (seed: `ClusterVersionMonitor`).
    """
    told_ns: dict[int, int] = {}
    again_ns = round(state.config.timings.version_notice_s * NS)

    def tell_outdated(state: State, now: Now) -> None:
        found = nodes.all_nodes(state.database)
        for node_id in told_ns.keys() - {node.id for node in found}:
            del told_ns[node_id]
        for node in found:
            if node.is_local or not node.agent_version.strip():
                continue
            if version_status(node, state.config.profile.release) != "outdated":
                told_ns.pop(node.id, None)
            elif now.ns - told_ns.get(node.id, -again_ns) >= again_ns:
                told_ns[node.id] = now.ns
                _tell_outdated(state, node, now)

    _try(state, tell_outdated)
    await every(state, state.config.timings.version_scan_s, tell_outdated)


async def watch_metrics(state: State) -> None:
    """Count the figures of `/metrics` at once, and then now and again, for ever."""
    _try(state, metrics.count)
    await every(state, state.config.timings.metrics_scan_s, metrics.count)


def _tell_outdated(state: State, node: Node, now: Now) -> None:
    release = state.config.profile.release
    state.events.publish(
        now,
        type_="agent_outdated",
        title="BackupX Agent 版本落后",
        body=f"节点：{node.name}\nAgent 版本：{node.agent_version}\nMaster 版本：{release}\n"
        "建议升级 Agent 以获得完整兼容性。",
        fields={
            "nodeId": node.id,
            "nodeName": node.name,
            "agentVersion": node.agent_version,
            "masterVersion": release,
        },
    )
