"""Misbehaving agents, a failing network, a dying master: no checker raises a false alarm."""

import pytest
from campaigns import campaign
from tales import judged

from harness.verdict import Verdict
from master.protocol.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_no_false_alarm(profile: str) -> None:
    """The reference is right whatever happens, and nearly every checker has something to judge."""
    history = campaign(profile, seed=7, minutes=14)

    found = judged(history, profile)

    wrong = {
        name: one.broken[0].sentence if one.broken else one.reason
        for name, one in found.items()
        if one.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    }
    assert wrong == {}
    assert sum(one.verdict is Verdict.PASS for one in found.values()) >= 18
