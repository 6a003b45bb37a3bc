"""A process of the program that is judged, and its way to the master.

The process has a session of its own, so that whatever it starts ends with it, in every case.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import trio

from harness.broken import SetUpError
from harness.front import Front
from harness.history import History, RecordingPort
from harness.trial.trial import MARK, Told, Trial
from master.protocol.exchange import Request, Response
from simulated_agents.events import EventKind
from simulated_agents.ports import Port, close_port

OUTPUT_MAX: Final = 8_388_608
"""How much of what a program writes is looked at."""

_LOOK_S: Final = 0.02
"""How often its processes are looked at: one that asks a database lives for some tens of milliseconds."""

_GONE_S: Final = 5.0
"""How long a killed process may take to be gone before nobody waits for it any more."""


CONTACT_S: Final = 20.0
"""How long a program may take to its first call, in seconds; nobody waits for it any longer."""


class StartError(SetUpError):
    """The program cannot be started; the message says why."""


class Child:
    """The program under test, as one agent of a scenario.

    Args:
        trial: the program.
        name: which agent it is.
        profile: the release it is judged as.
        folder: where its token, its temporary files and its output are.
        way: the way to the master, faults included.
        nursery: runs the front and watches the process.
        note: writes down that a process began or ended.

    Attributes:
        gone: is set when its last process has ended.
        front: where it finds the master.
        log: where its output goes.

    """

    def __init__(
        self,
        trial: Trial,
        name: str,
        profile: str,
        folder: Path,
        way: RecordingPort,
        nursery: trio.Nursery,
        note: Callable[[str, str], None],
    ) -> None:
        self._trial = trial
        self._name = name
        self._token_file = folder / f"{name}.token"
        self._profile = profile
        self._folder = folder
        self._nursery = nursery
        self._note = note
        self._process: trio.Process | None = None
        self._guard: _Guard | None = None
        self.gone = trio.Event()
        self._given: list[str] = []
        self._seen: dict[str, None] = {}
        self._killed = False
        self._called = trio.Event()
        self.front = Front(_Heard(way, self._hear))
        self.log = folder / f"{name}.log"

    async def start(self, token: str) -> None:
        """Start a process, unless one runs; return after its first call, so that a story begins there.

        Raises:
            StartError: it cannot be started.

        """
        if self._process is not None and self._process.returncode is None:
            return
        if not self.front.number:
            await self._nursery.start(self.front.serve)
        told = self._told(token)
        self._given = self._trial.arguments(told)
        environment = self._trial.environment(told, self._profile, os.environ)
        with self.log.open("ab") as output:
            self._process = await _open(self._given, environment, output)
        self.gone, self._called, self._killed = trio.Event(), trio.Event(), False
        self._note(self._name, EventKind.STARTED)
        self._guard = _Guard(self._process.pid)
        self._nursery.start_soon(self._watch, self._process, self._guard, self.gone)
        self._nursery.start_soon(self._look, self._process)
        await _first(self._called, self.gone)

    def _hear(self) -> None:
        self._called.set()

    def _told(self, token: str) -> Told:
        temp_dir = self._folder / "tmp" / self._name
        temp_dir.mkdir(parents=True, exist_ok=True)
        self._token_file.touch(mode=0o600)
        self._token_file.write_text(token, encoding="utf-8")
        return Told(self.front.url, token, self._token_file, self._name, temp_dir)

    async def _watch(self, process: trio.Process, guard: "_Guard", gone: trio.Event) -> None:
        code = await process.wait()
        guard.dismiss()
        kind = EventKind.CRASHED if self._killed else f"{EventKind.ENDED}: exit code {code}"
        self._note(self._name, kind)
        gone.set()

    async def _look(self, process: trio.Process) -> None:
        """Gather the arguments of the process and of those it starts, for as long as it runs."""
        while process.returncode is None:
            for words in _arguments(process.pid):
                for word in words:
                    self._seen[word] = None
            await trio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """Ask the process to end; do not wait for it."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        await trio.lowlevel.checkpoint()

    async def crash(self) -> None:
        """Kill the process and all that it started; return when it is gone."""
        if self._process is None or self._process.returncode is not None:
            return
        self._killed = True
        self._kill()
        await self.gone.wait()

    def _kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def aclose(self) -> None:
        """Kill whatever is left of it."""
        if self._process is None:
            return
        self._kill()
        with trio.move_on_after(_GONE_S):
            await self._process.wait()
        if self._guard is not None:
            self._guard.dismiss()
        for pid in _heirs(self._token_file):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def output(self) -> str:
        """Return what its processes have written so far."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            return file.read(OUTPUT_MAX).decode("utf-8", "replace")

    @property
    def exit_code(self) -> int | None:
        """Return how its last process ended; `None` while it runs."""
        return None if self._process is None else self._process.returncode

    def described(self) -> dict[str, Any]:
        """Return what it shows: of the arguments those that nobody gave it."""
        code = self.exit_code
        return {
            "alive": self._process is not None and code is None,
            "exit": code,
            "output": self.output(),
            "arguments": [word for word in self._seen if word not in self._given],
        }

    def keep_output(self, folder: Path, history: History) -> None:
        """Write what it said into a folder, without secrets."""
        folder.mkdir(parents=True, exist_ok=True)
        text = history.redactor.text(self.output())
        (folder / self.log.name).write_text(text, encoding="utf-8")


class _Guard:
    """Kills a process, and all that it started, when muster itself is gone.

    It is a shell that waits for the end of a pipe whose other end is muster's. A signal at the death of
    the parent would not do: it comes when the thread ends that started the process.

    Args:
        pid: of the process, which leads its session.

    """

    def __init__(self, pid: int) -> None:
        self._shell = subprocess.Popen(  # noqa: S603 - nothing but a number goes in
            ["/bin/sh", "-c", f"read _; kill -KILL -{pid}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Guard nothing any more: the process is gone, and its number may become another's."""
        if self._shell.returncode is None:
            self._shell.kill()
            self._shell.wait()
            assert self._shell.stdin is not None
            self._shell.stdin.close()


class _Heard:
    """A way to the master that tells of each call that is over.

    Args:
        port: the way behind it.
        hear: is told.

    """

    def __init__(self, port: Port, hear: Callable[[], None]) -> None:
        self._port = port
        self._tell = hear

    async def send(self, request: Request) -> Response:
        """Pass a request on."""
        try:
            return await self._port.send(request)
        finally:
            self._tell()

    async def aclose(self) -> None:
        """Close the way behind it."""
        await close_port(self._port)


async def _first(*events: trio.Event) -> None:
    """Wait for one of several events, and not for ever."""

    async def end_with(event: trio.Event, scope: trio.CancelScope) -> None:
        await event.wait()
        scope.cancel()

    with trio.move_on_after(CONTACT_S):
        async with trio.open_nursery() as nursery:
            for event in events:
                nursery.start_soon(end_with, event, nursery.cancel_scope)


async def _open(
    words: list[str], environment: Mapping[str, str], output: IO[bytes]
) -> trio.Process:
    try:
        return await trio.lowlevel.open_process(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StartError(f"{words[0]} cannot be started: {reason}") from None


def _heirs(token_file: Path) -> list[int]:
    """Return the processes that have the environment of a child, whatever session they made their own.

    The file is in no other child's environment; a system without `/proc` tells of none.
    """
    mark = f"{MARK}={token_file}".encode()
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if mark in (one / "environ").read_bytes().split(b"\0"):
                found.append(int(one.name))
    return found


def _arguments(pid: int) -> list[list[str]]:
    """Return the arguments of a process and of the processes that it has started."""
    found, waiting = [], [pid]
    while waiting:
        one = Path("/proc", str(waiting.pop()))
        with suppress(
            OSError, ValueError
        ):  # it ends while it is looked at; not every system has it
            words = (one / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            found.append([word for word in words if word])
            for task in (one / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return found
