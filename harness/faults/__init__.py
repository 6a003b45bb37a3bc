"""Faults of the network, as values: a plan of them is data, and acts on any port on any clock.

What can happen is `actions`, to what `values`; `port` makes it happen. `short` and `file` read plans.
Faults of agents are behaviours (`simulated_agents.behaviours`), those of the master are scenario steps.
"""

from typing import Final

from harness.faults.action import Action, Half, Lost
from harness.faults.actions import ACTIONS, DropReply, DropRequest
from harness.faults.port import Faults, FaultyPort
from harness.faults.values import ALL, Fault, Plan, Selection

__all__ = [
    "ACTIONS",
    "ALL",
    "Action",
    "Fault",
    "Faults",
    "FaultyPort",
    "Lost",
    "Plan",
    "Selection",
    "losing",
]

_LOSSES: Final = {Half.REQUEST: DropRequest(), Half.REPLY: DropReply()}


def losing(half: str) -> Plan:
    """Return the plan that loses one half of every exchange: `request` or `reply`."""
    return Plan((Fault(_LOSSES[Half(half)]),))
