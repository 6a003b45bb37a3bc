"""Playing jobs in processes of their own, several at the same time.

Each job is a fork of this process, which has everything imported and read; it lives as long as its
job and takes with it whatever its mutant did.
"""

import gc
import multiprocessing
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from harness.selfcheck.child import Job, main
from harness.selfcheck.edited import imports

_HUNG = (-signal.SIGPROF, -signal.SIGALRM)
_FORKS = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one scenario.

    Attributes:
        scenario: its id.
        verdict: its verdict.
        broken: the clauses that the failed expectation is about.
        why: what was expected and seen, or why nobody knows.

    """

    scenario: str
    verdict: str
    broken: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Done:
    """What came of a job.

    Attributes:
        key: which job.
        played: what came of each scenario that ended.
        hung: the id of the scenario that did not end.
        fault: what broke in muster itself.

    """

    key: str
    played: list[Played] = field(default_factory=list)
    hung: str | None = None
    fault: str | None = None


@dataclass(slots=True)
class _Worker:
    """A process at work."""

    process: BaseProcess
    done: Done
    playing: str = ""


def work(
    jobs: Iterable[Job], processes: int, hear: Callable[[Done], None] = lambda _: None
) -> dict[str, Done]:
    """Play jobs, and return what came of each, by its key.

    Args:
        jobs: what is played.
        processes: how many at the same time, at most.
        hear: is told of each job that is done.

    """
    waiting = iter(jobs)
    working: dict[Connection, _Worker] = {}
    finished: dict[str, Done] = {}
    imports()  # each fork would have to find out by itself
    gc.freeze()  # what is here now is shared with every fork, as long as nobody touches it
    try:
        while True:
            while len(working) < processes and (job := next(waiting, None)) is not None:
                pipe, worker = _start(job)
                working[pipe] = worker
            if not working:
                return finished
            for ready in wait(list(working)):
                assert isinstance(ready, Connection)
                if _listen(ready, working[ready]):
                    done = working.pop(ready).done
                    finished[done.key] = done
                    hear(done)
    finally:
        gc.unfreeze()
        for pipe, worker in working.items():  # an interrupt, or a fault of ours
            worker.process.kill()
            worker.process.join()
            pipe.close()


def _start(job: Job) -> tuple[Connection, _Worker]:
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=main, args=(job, theirs), daemon=True)
    process.start()
    theirs.close()
    return ours, _Worker(process, Done(job.key))


def _listen(pipe: Connection, worker: _Worker) -> bool:
    """Take one message of a worker; return whether it was the last."""
    try:
        word, *rest = pipe.recv()
    except EOFError:
        _end(pipe, worker)
        return True
    match word:
        case "begin":
            (worker.playing,) = rest
        case "end":
            worker.done.played.append(Played(*rest))
        case _:
            worker.done.fault = f"in {worker.playing or 'the import'}: {rest[0]}"
    return False


def _end(pipe: Connection, worker: _Worker) -> None:
    """Say how a process ended."""
    pipe.close()
    worker.process.join()
    code = worker.process.exitcode
    if code in _HUNG:
        worker.done.hung = worker.playing
    elif code and worker.done.fault is None:
        worker.done.fault = f"in {worker.playing or 'the import'}: its process ended with {code}"
