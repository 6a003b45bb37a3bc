"""No blindness: masters that break a clause, and the checker that sees it in what they did.

No expectation of the scenario is needed for that: the checker is given the history alone.
"""

import multiprocessing
import os
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Final

import pytest
from tales import CATALOGUE

from harness.checkers.registry import CHECKERS
from harness.commands.options import SCENARIOS
from harness.selfcheck.edited import import_edited
from harness.selfcheck.mutants import MUTANTS

SEEN: Final = [
    ("no phantom", "enqueues-twice", "commands/nothing-unasked"),
    ("no phantom", "hands-out-what-ended", "commands/nothing-unasked"),
    ("routing", "claims-another-nodes", "commands/another-nodes-queue"),
    ("routing", "task-moves-its-commands", "commands/task-moved-after-enqueueing"),
    ("claimed once", "claims-again", "commands/twenty-polls-at-once"),
    ("claimed once", "lost-reply-is-repeated", "commands/twenty-polls-at-once"),
    ("orphans explained", "claims-by-type", "commands/backup-before-question"),
    ("orphans explained", "new-replaces-waiting", "commands/none-is-lost"),
    ("conservation", "takes-all-that-wait", "commands/none-is-lost"),
    ("conservation", "pending-is-dropped", "commands/pending-waits-for-ever"),
    ("order", "claims-newest-first", "timeouts/one-record-cannot-be-read"),
    ("order", "claims-again", "commands/twenty-polls-at-once"),
    ("life cycle", "result-ends-the-record", "results/late-result-counts"),
    ("life cycle", "refused-report-half-taken", "records/refused-reports-change-nothing"),
    ("terminal absorbs", "overwrites-success-only", "fleet/crashes-anywhere"),
    ("terminal absorbs", "only-success-is-final", "records/finished-stays[failed-success]"),
    ("results", "claims-bound-to-a-token", "rotation/work-under-both"),
    ("results", "listings-are-sorted", "rpc/listing"),
    ("no early timeout", "logs-keep-nothing", "fleet/slow-and-steady"),
    ("no early timeout", "fails-all-records-of-the-node", "timeouts/only-the-stale-one"),
    ("bounded detection", "restore-stays-running", "timeouts/restore-is-failed"),
    ("bounded detection", "kept-for-ever", "fleet/restarts-keep-what-is-lost"),
    ("linked failure", "silence-fails-records", "fleet/crashes-anywhere"),
    ("linked failure", "ended-with-the-report-before", "fleet/newer-agents[2.3.5]"),
    ("no overwrite", "finished-is-final", "fleet/slow"),
    ("no overwrite", "overwrites-finished-record", "timeouts/finished-records-are-left-alone"),
    ("agreement", "ends-leave-records", "results/fails-what-it-leaves-running"),
    ("agreement", "success-leaves-its-record", "results/fails-what-it-leaves-running"),
    ("append", "texts-at-once-lost", "records/twenty-texts-at-once"),
    ("append", "restore-log-runs-on", "fleet/garbage"),
    ("ownership", "anybodys-task", "specs/foreign-task"),
    ("ownership", "record-of-the-pool", "records/pooled"),
    ("authentication", "deleted-node-keeps-its-token", "auth/deleted-node"),
    ("authentication", "grace-is-half", "rotation/each-grace-is-whole"),
    ("presence", "one-node-a-scan", "fleet/crashes-anywhere"),
    ("presence", "heartbeat-of-all", "nodes/heartbeats-of-two"),
    ("secrets", "password-in-the-answer", "secrets/database-passwords"),
    ("secrets", "access-keys-shown", "secrets/storage-credentials"),
    ("durability", "answers-before-commit", "durability/what-was-answered-survives"),
    ("durability", "ids-are-used-again", "durability/ids-are-used-once"),
]
"""A checker, a mutant of the reference, and the scenario whose history shows it."""

WITHOUT: Final = {
    "progress": "what fails every poll of a node fails the scenario before there are enough of them",
    "effects": "it is about agents",
}
"""Checkers that no mutant of the master is for, each with the reason; `test_checkers` has histories."""

_FORKS = multiprocessing.get_context("fork")


def _child(pipe: Connection, mutant_name: str, scenario_id: str) -> None:
    """Play a scenario on a mutant, and send which checkers fail: in a process of its own."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    mutant = next(one for one in MUTANTS if one.name == mutant_name)
    profile = mutant.profile or CATALOGUE[mutant.clause].profiles[0]
    file = SCENARIOS / f"{scenario_id.partition('[')[0]}.yaml"
    import_edited(mutant.apply())
    loaded = import_module("harness.scenario.loader").load_all(
        (file,), import_module("tales").CATALOGUE
    )
    scenario = next(
        one for one in loaded if one.id.partition("[")[2] == scenario_id.partition("[")[2]
    )
    target, tales = import_module("harness.target"), import_module("tales")
    profiles = import_module("master.protocol.profiles").PROFILES
    _, history = target.play_embedded(scenario, profiles[profile], 0)
    pipe.send([name for name, one in tales.judged(history, profile).items() if one.broken])


def failing(mutant: str, scenario: str) -> list[str]:
    ours, theirs = _FORKS.Pipe()
    process = _FORKS.Process(target=_child, args=(theirs, mutant, scenario))
    process.start()
    theirs.close()
    try:
        found: list[str] = ours.recv()
    except EOFError:
        found = ["the process died"]
    process.join()
    return found


@pytest.mark.parametrize(("checker", "mutant", "scenario"), SEEN)
def test_a_checker_sees_a_mutant(checker: str, mutant: str, scenario: str) -> None:
    """It says FAIL to what the mutant did."""
    assert checker in failing(mutant, scenario)


def test_every_checker_has_two_mutants() -> None:
    """A checker that nothing was tried on may be blind."""
    for checker in CHECKERS:
        mutants = {mutant for name, mutant, _ in SEEN if name == checker.name}
        assert len(mutants) >= 2 or checker.name in WITHOUT, checker.name
