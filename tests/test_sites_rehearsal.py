"""Scenarios that make no sense with a target's timers."""

from dataclasses import replace

from scenes import scene

from harness.sites.rehearsal import senseless, unusual
from master.config import Timings

NAMED = """
scenario: A silent agent's command times out
clauses: [TMO-1]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - run: nightly
  - poll: alpha
  - wait: command_timeout + command_scan + 1s
  - expect: {commands: {agent: alpha, status: timeout}, count: 1}
"""
LITERAL = NAMED.replace("command_timeout + command_scan + 1s", "11m")


def test_usual_timers_are_known() -> None:
    """At any speed; one that is another makes all of them worth a rehearsal."""
    assert unusual(Timings(), 1.0) is None
    assert unusual(Timings().faster(20), 20.0) is None
    assert unusual(Timings().faster(7), 7.0) is None
    changed = unusual(replace(Timings(), command_timeout_s=1_200.0), 1.0)
    assert changed is not None
    assert (changed["command_timeout"], changed["command_scan"]) == (1_200.0, 30.0)


def test_what_the_reference_fails_makes_no_sense() -> None:
    """A wait that names timers does, one that is literal does not, where they take longer."""
    stories = [replace(scene(NAMED), id="named"), replace(scene(LITERAL), id="literal")]
    slow = unusual(replace(Timings(), command_timeout_s=1_200.0), 1.0)
    quick = unusual(replace(Timings(), command_timeout_s=60.0), 1.0)
    assert slow is not None
    assert quick is not None

    assert senseless(stories, "2.0", slow, seed=0) == {"literal"}
    assert senseless(stories, "2.0", quick, seed=0) == frozenset()
    only_newer = [replace(one, profiles=("2.4",)) for one in stories]
    assert senseless(only_newer, "2.0", slow, seed=0) == frozenset()
