"""The figures of `/metrics`, in Prometheus' text format (since v2.1.0).

They are counted every 30 s, not when somebody asks, so what is shown may be as old as that.
Only what concerns agents is here: the real master adds its own process, its storage, and the runs
that it does itself. The text is written by hand: it is two lines a figure, and prometheus_client
would bring a registry of its own that reads the system's clock.
"""

from typing import Final

from master import presence
from master.admin import queues
from master.now import Now
from master.protocol.profiles import Profile
from master.protocol.states import NodeStatus
from master.sample import Sample
from master.state import State
from master.store import nodes

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

_HELP: Final = {
    "backupx_agent_command_queue_depth": "Commands of a node that have not ended.",
    "backupx_agent_command_running": "Backups and restores that a node was handed.",
    "backupx_agent_command_timeout_total": "Commands of a node that ever timed out.",
    "backupx_app_info": "The release, as a label.",
    "backupx_node_online": "Whether a node is online.",
}
"""Every figure, in the order of the text."""


def served(profile: Profile) -> bool:
    """Return whether a release has `/metrics`, and so something to count for."""
    return profile.metrics


def release_info(state: State) -> list[Sample]:
    """Return what is known before anything was counted."""
    return [Sample("backupx_app_info", {"version": state.config.profile.release}, 1)]


def count(state: State, now: Now) -> None:
    """Count everything anew; a node that is gone is no longer shown."""
    samples = release_info(state)
    figures = queues.figures(state)
    for node in nodes.all_nodes(state.database):
        labels = {"node_name": node.name, "role": "master" if node.is_local else "agent"}
        online = presence.counted(state, node, now) == NodeStatus.ONLINE
        samples.append(Sample("backupx_node_online", labels, int(online)))
        if figures is not None:
            own = figures.get(node.id, queues.IDLE)
            depth = own.pending + own.dispatched
            samples += [
                Sample("backupx_agent_command_queue_depth", labels, depth),
                Sample("backupx_agent_command_running", labels, own.running),
                Sample("backupx_agent_command_timeout_total", labels, own.timeouts),
            ]
    state.samples[:] = samples


def text(samples: list[Sample]) -> str:
    """Return figures as Prometheus reads them: by name, then by label."""
    lines = []
    for name, help_text in _HELP.items():
        own = sorted(sample.text() for sample in samples if sample.name == name)
        if own:
            lines += [f"# HELP {name} {help_text}\n", f"# TYPE {name} gauge\n", *own]
    return "".join(lines)
