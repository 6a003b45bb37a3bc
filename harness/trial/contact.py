"""Finding out whether a program is an agent at all, before scenarios are played with it.

What is found here is said in one line: that it cannot be started, that it ends at once, that it never
calls. What it does wrong once it calls is for the clauses.
"""

from typing import Final

from harness.activity import Activity
from harness.heard import Heard
from harness.history import History
from harness.redact import Redactor
from harness.stop import StopError
from harness.trial.child import CONTACT_S, Child, StartError
from harness.trial.playing import workshop
from harness.trial.trial import Trial
from harness.verdict import Exit
from harness.world import Admin
from master.config import Timings

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
        child = shop.child("contact", world.port("contact"))
        try:
            await child.start(token)
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
