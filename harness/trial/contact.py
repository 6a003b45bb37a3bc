"""Finding out whether a program is an agent at all, before scenarios are played with it.

What is found here is said in one line: that it cannot be started, that it ends at once, that it never
calls. What it does wrong once it calls is for the clauses.
"""

from typing import Final

import trio

from harness.activity import Activity
from harness.heard import Heard
from harness.history import History
from harness.redact import Redactor
from harness.stop import StopError
from harness.trial.child import Child, StartError
from harness.trial.playing import workshop
from harness.trial.trial import Trial
from harness.verdict import Exit
from harness.world import Admin
from master.config import Timings
from master.protocol.exchange import Request, Response
from simulated_agents.ports import Port, close_port

CONTACT_S: Final = 20.0
"""How long a program may take to its first call."""

_WORDS_MAX: Final = 600
"""How much of what it said before it ended is shown."""

_AGENT_PATHS: Final = ("/api/agent/", "/api/v1/agent/")


async def make_contact(trial: Trial, profile: str, seed: int) -> str | None:
    """Start the program once, and return what is odd about its first call; `None` when nothing is.

    Raises:
        StopError: there is no first call.

    """
    history = History(Redactor())
    stop: str | None = None
    async with workshop(trial, profile, "contact", seed, history, Timings()) as shop:
        world = shop.world(Activity())
        admin = Admin(world)
        token = (await admin.data("POST", "/api/nodes", {"name": "contact"}))["token"]
        history.redactor.learn(token)
        called = trio.Event()
        way = world.port("contact").behind(lambda port, _: _Called(port, called))
        child = shop.child("contact", way)
        try:
            await child.start(token)
            await _first(called, child.gone)
        except StartError as error:
            stop = str(error)
        calls = Heard(history, "contact").calls
        if stop is None and not calls:
            stop = _silent(trial, child, history)
        where = child.front.url
    if stop is not None:  # said out here, where no nursery makes a group of it
        raise StopError(Exit.TARGET, stop)
    first = calls[0]
    if first["path"].startswith(_AGENT_PATHS):
        return None
    return (
        f"its first call is {first['method']} {first['path']}, which is none of an agent's:"
        f" expected POST /api/agent/heartbeat below {where}"
    )


class _Called:
    """A way to the master that tells of the first call that is over.

    Args:
        port: the way behind it.
        called: is set then.

    """

    def __init__(self, port: Port, called: trio.Event) -> None:
        self._port = port
        self._called = called

    async def send(self, request: Request) -> Response:
        """Pass a request on."""
        try:
            return await self._port.send(request)
        finally:
            self._called.set()

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


def _silent(trial: Trial, child: Child, history: History) -> str:
    words = history.redactor.text(child.output()).strip()[-_WORDS_MAX:]
    said = f"; it wrote: {words}" if words else "; it wrote nothing"
    program = trial.command[0]
    if child.exit_code is not None:
        return f"{program} ended with exit code {child.exit_code} before it called the master{said}"
    return (
        f"{program} has not called the master within {CONTACT_S:g} s{said}\n"
        "it is told where the master is by {url} in its arguments, or by $MUSTER_URL or"
        " $BACKUPX_AGENT_MASTER"
    )
