"""What a process does that plays one mutant: scenarios, one after the other, until it knows enough.

Only plain values go in and out, because everything else in it is of classes of its own: muster was
imported anew with the mutant's source.
"""

import logging
import os
import pickle
import re
import signal
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Final

from harness.selfcheck.edited import import_edited

HANG_S: Final = 10.0
"""Seconds of this process's own time that a scenario may take: the longest takes two."""

_ASLEEP: Final = 30.0
"""So much longer may it take on the wall: a process that only waits hangs too."""


_SLIP: Final = re.compile(r"raised (NameError|UnboundLocalError|AttributeError|TypeError)\(")
"""What code raises that was never right, and no competent person ships."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process is to play.

    Attributes:
        key: tells it from other jobs.
        sources: the text of each changed module, by its path; none for the reference itself.
        profile: what the master is.
        scenarios: pickled, by their ids, in the order they are played in.
        clause: a failure that is about this clause alone ends the job; `None` plays on.
        first_failure: any failure ends the job.
        hang_s: seconds of processor time that a scenario may take.

    """

    key: str
    sources: dict[str, str]
    profile: str
    scenarios: dict[str, bytes]
    clause: str | None = None
    first_failure: bool = False
    hang_s: float = HANG_S


def main(job: Job, pipe: Connection) -> None:
    """Play a job, and send what happens, in tuples that begin with a word.

    `begin` with a scenario's id; `end` with its id, verdict, broken clauses and why; `fault` with
    what broke in muster itself. Our own classes could not be sent: they are others by now.
    """
    _silence()
    import_edited(job.sources)
    try:
        play_scenario = import_module("harness.selfcheck.child").play_scenario
        for scenario_id, pickled in job.scenarios.items():
            pipe.send(("begin", scenario_id))
            _limit(job.hang_s)
            verdict, broken, why = play_scenario(pickled, job.profile)
            _limit(0)
            pipe.send(("end", scenario_id, verdict, broken, why))
            if verdict == "FAIL" and (job.first_failure or broken == (job.clause,)):
                break
    except BaseException as error:  # noqa: BLE001 - a broken master may raise anything
        pipe.send(("fault", repr(_innermost(error))))
    pipe.close()


class SlipError(Exception):
    """The changed code does not do what its mutant says: it cannot even run."""


class _Slips(logging.Handler):
    """Notes what went wrong in the master's loops, where it is only logged."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the error of a log record that has one."""
        if record.exc_info and record.exc_info[1] is not None:
            self.seen.append(f"raised {record.exc_info[1]!r}")


def play_scenario(pickled: bytes, profile: str) -> tuple[str, tuple[str, ...], str]:
    """Play a scenario; return its verdict, the clauses broken, and why.

    Every module is imported here, when the source has been changed.

    Raises:
        SlipError: the master broke over its own code, in a request or in a loop.

    """
    target = import_module("harness.target")
    profiles = import_module("master.protocol.profiles").PROFILES
    slips = _Slips()
    logging.getLogger("muster.master").addHandler(slips)
    outcome, history = target.play_embedded(
        pickle.loads(pickled),  # noqa: S301 - we pickled it
        profiles[profile],
        0,
    )
    logging.getLogger("muster.master").removeHandler(slips)
    if outcome.fault:
        raise SlipError(outcome.reason)
    notes = [str(op.subject) for op in history.ops if op.process == "master"]
    for note in (*notes, *slips.seen):
        if _SLIP.search(note):
            raise SlipError(note)
    failure = outcome.failure
    why = outcome.reason or ""
    if failure is not None:
        why = f"{failure.place}: expected {failure.expected}, seen {failure.seen}"
    return outcome.verdict.value, tuple(outcome.broken), why


def _silence() -> None:
    """Let nothing that a broken master writes reach the terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _limit(seconds: float) -> None:
    """Let the system end this process when it has worked, or slept, for too long; 0 lifts that.

    Nothing that runs here could be trusted to stop itself: it may be in an endless loop.
    """
    for timer, ending, limit_s in (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, seconds * _ASLEEP),
    ):
        signal.signal(ending, signal.SIG_DFL)
        signal.setitimer(timer, limit_s)


def _innermost(error: BaseException) -> Any:
    if isinstance(error, BaseExceptionGroup):
        return _innermost(error.exceptions[0])
    return error
