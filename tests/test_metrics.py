"""`/metrics`: what is shown, to whom, by which release, and how old it may be."""

import pytest
from cluster import EVERY, cluster, profiles
from running import Rig, play

from master import metrics
from master.protocol.exchange import Request
from master.sample import Sample


async def shown(rig: Rig) -> str:
    """Ask as nobody, and return the lines without those that explain."""
    answer = await rig.master.handle(Request("GET", "/metrics"))
    assert answer.status == 200
    content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert dict(answer.headers)["Content-Type"] == content_type
    lines = answer.body.decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("profile", EVERY)
def test_a_release_has_metrics_or_not(profile: str) -> None:
    """Since v2.1.0; before, it is a path like any other."""
    with cluster(profile) as made:
        answer = made.send("GET", "/metrics")
        slash = made.send("GET", "/metrics/")

    has = profile in profiles("metrics")
    assert answer.status == (200 if has else 404)
    assert slash.status == (301 if has else 404)
    if has:
        release = made.profile.release
        assert answer.body.decode().splitlines()[-1] == f'backupx_app_info{{version="{release}"}} 1'


@pytest.mark.parametrize("profile", profiles("metrics"))
def test_nodes_and_their_queues_are_counted(profile: str) -> None:
    """Every 30 s, at the master's start first; queues since v2.3.5."""
    queues = profile in profiles("node_figures")

    async def story(rig: Rig) -> None:
        await rig.clock.sleep(1)
        await rig.ask("POST", "/api/nodes/batch", {"names": ["beta"]})
        task = await rig.task("")
        await rig.ask("POST", f"/api/backup/tasks/{task}/run")
        await rig.ask("POST", "/api/agent/commands/poll", agent=rig.agent)
        assert "beta" not in await shown(rig)

        await rig.clock.sleep(30)

        release = rig.master.state.config.profile.release
        queue = [
            'backupx_agent_command_queue_depth{node_name="alpha",role="agent"} 1',
            'backupx_agent_command_queue_depth{node_name="beta",role="agent"} 0',
            'backupx_agent_command_queue_depth{node_name="本机 (Local)",role="master"} 0',
            'backupx_agent_command_running{node_name="alpha",role="agent"} 1',
            'backupx_agent_command_running{node_name="beta",role="agent"} 0',
            'backupx_agent_command_running{node_name="本机 (Local)",role="master"} 0',
            'backupx_agent_command_timeout_total{node_name="alpha",role="agent"} 0',
            'backupx_agent_command_timeout_total{node_name="beta",role="agent"} 0',
            'backupx_agent_command_timeout_total{node_name="本机 (Local)",role="master"} 0',
        ]
        assert (await shown(rig)).splitlines() == [
            *(queue if queues else []),
            f'backupx_app_info{{version="{release}"}} 1',
            'backupx_node_online{node_name="alpha",role="agent"} 1',
            'backupx_node_online{node_name="beta",role="agent"} 0',
            'backupx_node_online{node_name="本机 (Local)",role="master"} 1',
        ]

        rig.beats = False
        rig.master.state.database.execute("DELETE FROM nodes WHERE name = 'beta'")
        await rig.clock.sleep(700)
        text = await shown(rig)
        assert 'backupx_node_online{node_name="alpha",role="agent"} 0' in text
        assert "beta" not in text
        timeouts = 'backupx_agent_command_timeout_total{node_name="alpha",role="agent"} 1'
        assert (timeouts in text) is queues

    play(story, profile)


def test_names_are_escaped() -> None:
    """Quotes, backslashes and line ends; each figure says what it is, once."""
    names = ('a"b', "a\\b", "a\nb")
    samples = [Sample("backupx_node_online", {"node_name": name}, 1) for name in names]

    assert metrics.text(samples).splitlines() == [
        "# HELP backupx_node_online Whether a node is online.",
        "# TYPE backupx_node_online gauge",
        r'backupx_node_online{node_name="a\"b"} 1',
        r'backupx_node_online{node_name="a\\b"} 1',
        r'backupx_node_online{node_name="a\nb"} 1',
    ]
