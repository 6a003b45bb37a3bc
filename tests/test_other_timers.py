"""The suite with timers that are not the usual ones: what makes no sense then, and that the rest passes."""

from typing import Final

import pytest

from harness.commands.options import SCENARIOS
from harness.sites.rehearsal import senseless
from harness.suite import Suite

SETS: Final = {
    "commands time out after forty seconds": {"command_timeout": 40.0, "command_scan": 3.0},
    "everything takes twice as long": {
        "command_timeout": 1_500.0,
        "command_scan": 45.0,
        "offline_after": 90.0,
        "offline_scan": 20.0,
    },
    "nodes fall silent sooner, and questions wait for longer": {
        "offline_after": 20.0,
        "offline_scan": 4.0,
        "list_dir_timeout": 25.0,
        "discover_timeout": 10.0,
        "metrics_scan": 12.0,
        "event_heartbeat": 10.0,
    },
}

LITERAL: Final = {
    "commands time out after forty seconds": {
        "admin/running-comes-first[both]",
        "admin/running-comes-first[offline]",
        "durability/ages-through-crashes",
        "durability/claimed-before-a-crash",
        "durability/lost-answer-of-a-poll",
        "durability/stale-while-the-master-was-down",
        "offline/cable-pulled-during-a-backup",
        "offline/comes-back-to-its-queue",
        "offline/polls-and-reports-are-no-sign-of-life",
        "offline/run-until-the-scan",
        "offline/silence-shorter-than-the-timeout",
        "records/end-and-duration",
        "restores/end-and-duration",
        "rpc/agent-at-work",
        "timeouts/counts-from-the-dispatch",
        "timeouts/kept-by-its-reports",
        "timeouts/last-report-exactly-ten-minutes-ago",
        "timeouts/offline-node-keeps-nothing",
        "timeouts/only-the-stale-one",
        "timeouts/poll-meets-the-scan",
        "timeouts/results-around-the-scan",
        "timeouts/scan-after-nine-minutes-fifty-nine",
        "timeouts/waiting-exactly-ten-minutes",
        "timeouts/waits-nine-minutes",
    },
    "everything takes twice as long": {
        "durability/presence-through-crashes",
        "timeouts/kept-by-nothing",
        "timeouts/nothing-left-to-work-on",
        "timeouts/poll-meets-the-scan",
        "timeouts/results-around-the-scan",
        "timeouts/scan-after-nine-minutes-fifty-nine",
        "timeouts/waiting-exactly-ten-minutes",
    },
    "nodes fall silent sooner, and questions wait for longer": {
        "durability/presence-through-crashes",
        "rpc/listing-deadline",
        "timeouts/kept-by-its-node",
        "timeouts/waiting-exactly-ten-minutes",
    },
}
"""Scenarios with a literal wait that only makes sense with the usual timers, for each set."""


@pytest.mark.parametrize("name", SETS)
def test_what_makes_sense_passes(name: str) -> None:
    """All but those that are known by name; one that is mended is taken off the list.

    Without the fleets of an hour, which take as long as all the others.
    """
    suite = Suite.read((SCENARIOS,))
    stories = [one for one in suite.scenarios if not one.timing and not one.id.startswith("fleet/")]

    assert senseless(stories, "2.4", SETS[name], seed=0) == LITERAL[name]
