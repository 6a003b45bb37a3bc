"""Why a scenario is not played on a master that cannot be set up as it wishes."""

from dataclasses import replace

import pytest
from scenes import scene

from harness.sites.able import Able
from harness.sites.fit import span_s, take_turns, unfit
from master.config import Timings

HEAD = """
scenario: Something is shown
clauses: [CMD-1]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
"""
POLL = "steps: [{poll: alpha, expect: {status: 200}}]\n"
LOOK = "steps: [{expect: {commands: {agent: alpha}, count: 0}}]\n"
TAMPER = """
steps:
  - tamper: {update: nodes, set: {status: offline}}
  - poll: alpha
    expect: {status: 200}
"""
KILL = """
steps:
  - restart_master: {}
  - poll: alpha
    expect: {status: 200}
"""
UPLOAD = """
steps:
  - run: nightly
    as: backup
  - put_artifact: {agent: alpha, record: backup, target: disk}
    expect: {status: 200}
"""
WAIT = """
steps:
  - wait: command_timeout + 1m
  - for_each:
      in: [1, 2, 3]
      do: [{wait: 20s}]
  - until: {expect: {agent: alpha, status: offline}, within: 40s}
"""


@pytest.mark.parametrize(
    ("story", "able", "reason"),
    [
        (LOOK, Able(reads_tables=False), "looks into the master's database"),
        (TAMPER, Able(writes_tables=False), "changes the master's database"),
        (KILL, Able(kills=False), "which muster did not start"),
        (UPLOAD, Able(disk=False), "the target names none"),
        ("empty: it counts\n" + POLL, Able(others="2 nodes"), "here are 2 nodes: it counts"),
        (
            "exact: it does\n" + POLL,
            Able(speed=20),
            "lasts 0.05 s here (play it at speed 1): it does",
        ),
        (
            "timing: {command_timeout: 50s}\n" + POLL,
            Able(timings=Timings()),
            "wants command_timeout to be 50 s, which is 600 s here",
        ),
        (WAIT, Able(longest_s=700), "waits for longer than 11.7 min (--longest)"),
    ],
    ids=["look", "tamper", "kill", "upload", "empty", "exact", "timing", "longest"],
)
def test_what_a_target_cannot_do(story: str, able: Able, reason: str) -> None:
    """It is said why, and where everything can be done it is played."""
    scenario = scene(HEAD + story)

    assert reason in str(unfit(scenario, able))
    assert unfit(scenario, Able()) is None


def test_timers_that_are_as_fast_as_literals_are_as_wanted() -> None:
    """What counts is how long a timer is in the scenario's own seconds."""
    scenario = scene(HEAD + "timing: {command_timeout: 50s}\n" + POLL)
    fast = Timings(command_timeout_s=50.0).faster(20)

    assert unfit(scenario, Able(timings=fast, speed=20)) is None
    assert unfit(scenario, Able(timings=fast, speed=10)) is not None


def test_how_long_a_scenario_waits() -> None:
    """All its waits, those of loops as often as they are done, and half of what it waits until."""
    scenario = scene(HEAD + WAIT)

    assert span_s(scenario, Timings()) == 600 + 60 + 3 * 20 + 20
    assert span_s(scenario, Timings().faster(20), 20) == (600 + 60 + 3 * 20 + 20) / 20


def test_those_that_need_the_master_alone_share_the_longest_wait() -> None:
    """The shortest come first, and what would make the run longer than that has no turn."""
    long, short, shared = (
        replace(scene(HEAD + steps), id=name)
        for name, steps in (
            ("long", KILL + "  - wait: 8m\n"),
            ("short", KILL + "  - wait: 7m\n"),
            ("shared", WAIT),
        )
    )
    able = Able(timings=Timings(), longest_s=870.0)

    turns = take_turns([long, short, shared], able)

    assert turns.no_turn == {"long"}
    assert (
        unfit(long, turns)
        == "needs the master alone, and those before it take 14.5 min (--longest)"
    )
    assert unfit(short, turns) is None
    assert unfit(shared, turns) is None
    assert take_turns([long, short], replace(able, longest_s=900.0)).no_turn == frozenset()
    assert take_turns([long, short], replace(able, longest_s=None)).no_turn == frozenset()
