"""One scenario being played: a method a verb, and the names it has given so far."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import trio

from harness.broken import MistakeError, SetUpError, UndecidedError, UnexpectedError
from harness.calling import Caller
from harness.disk import Disk, OutsideError
from harness.expect import Mismatch, show
from harness.feed import Feeds
from harness.hiccups import expects_one
from harness.looking import Eyes
from harness.population import Population
from harness.scenario.declarations import MANUAL
from harness.scenario.model import Scenario, Step, all_steps
from harness.scenario.verbs import VERBS
from harness.scope import Scope, UnknownNameError
from harness.setting import set_scene
from harness.sites.following import waits
from harness.sites.rows import WarpError
from harness.sites.spans import Wait
from harness.tamper import TamperError, enqueue, tamper
from harness.waiting import Steady
from harness.world import Admin, AdminError, World
from simulated_agents.ports import NoReply

_LOOK_EVERY_S: Final = 1.0
"""How often `until` looks, in seconds of a scenario."""

_TIMED: Final = frozenset({"wait", "until", "restart_master", "list_dir", "discover", "listen"})
"""Steps after which what is seen depends on when."""

_MACHINES_PART: Final = 4
"""A machine that is behind is late with its waits too: by this part of what calls took, at least."""

_LOG_IN_S: Final = 72_000.0
"""After how long the administrator logs in again: a log-in lasts 24 h."""


class Stage:
    """Plays the steps of one scenario in one world.

    Args:
        scenario: what is played.
        world: where.
        nursery: where agents and calls in the background live.

    Attributes:
        tested: for each clause, how many expectations about it held.

    """

    def __init__(self, scenario: Scenario, world: World, nursery: trio.Nursery) -> None:
        self._scenario = scenario
        self._world = world
        self._nursery = nursery
        self._waiting = world.waiting or Steady(world.clock)
        self._waits = waits(scenario.steps)
        self._renew_s = self._waiting.passed_s() + _LOG_IN_S
        self._admin = Admin(world)
        self._scope = Scope(world)
        # on a fast clock, looking as often as on a slow one would be all that happens
        self._look_every_s = max(
            _LOOK_EVERY_S / world.factor, min(world.slack_s / 5, _LOOK_EVERY_S)
        )
        self._population = Population(scenario, world, nursery)
        self._caller = Caller(
            world, self._admin, self._population, self._scope, self._count, _troubled(scenario)
        )
        self._feeds = Feeds(world, nursery)
        self._eyes = Eyes(world, self._admin, self._caller.answers, self._feeds, self._population)
        self._disk = Disk(world.scratch)
        self._waits_drag_s = 0.0
        self._timed = any(one.behaviour != MANUAL for one in scenario.agents)
        self.tested: dict[str, int] = {}

    @property
    def dragged(self) -> bool:
        """Return whether so much was late that what happened may show nothing of the master.

        Not in a simulation, where no machine is ever behind, nor where nothing depends on time: no
        wait, no agent that lives by itself, and all over before a node can fall silent.
        """
        world = self._world
        if not 0 < world.bears_s < self._waits_drag_s + self._caller.drag_s:
            return False
        return self._timed or world.elapsed_s() > world.timings.offline_after_s / 2

    @property
    def drag(self) -> str:
        """Return what was late, in words: this machine is told from the master by its waits."""
        late = []
        if self._waits_drag_s >= self._caller.drag_s / _MACHINES_PART:
            late.append(f"this machine was {self._waits_drag_s:.1f} s behind its own clock")
        if self._caller.drag_s > self._world.bears_s / 2:
            took = f"the master's answers took {self._caller.drag_s:.1f} s longer than prompt ones"
            late.append(took)
        return " and ".join(late)

    # --- before the first step, and after the last ----------------------------------------------

    async def prepare(self) -> None:
        """Make the agents' nodes, the storage targets and the tasks; start the agents' processes.

        Raises:
            SetUpError: the master refused one of them, or did not answer.

        """
        self._world.history.note(self._world.elapsed_s(), "muster", "phase: prepare")
        await set_scene(self._scenario, self._world, self._admin, self._population, self._scope)
        try:
            await self._waiting.begin()
        except WarpError as error:
            raise SetUpError(str(error)) from None
        self._world.history.note(self._world.elapsed_s(), "muster", "phase: stress")

    async def aclose(self) -> None:
        """Close every way to the master."""
        await self._feeds.aclose()
        await self._population.aclose()
        await self._admin.port.aclose()

    # --- steps --------------------------------------------------------------------------------

    async def play(self, steps: tuple[Step, ...], scope: Scope | None = None) -> None:
        """Do steps, one after the other.

        Raises:
            UnexpectedError: something was not as said.
            UndecidedError: nobody can tell.

        """
        scope = scope or self._scope
        for step in steps:
            await self._do(step, scope)

    async def _do(self, step: Step, scope: Scope) -> None:
        try:
            if self._waiting.passed_s() >= self._renew_s:
                await self._log_in()
            step = _with_names(step, scope)
            self._timed |= step.verb in _TIMED
            if VERBS[step.verb].call:
                await self._caller.call(step, scope, self._nursery)
            else:
                verbs: dict[str, Callable[[Step, Scope], Awaitable[None]]] = {
                    "start": self._start,
                    "crash": self._crash,
                    "stop": self._stop,
                    "mark": self._mark,
                    "write": self._write,
                    "remove": self._remove,
                    "snapshot": self._snapshot,
                    "wait": self._wait,
                    "until": self._until,
                    "expect": self._expect,
                    "answer": self._caller.answer,
                    "together": self._together,
                    "for_each": self._for_each,
                    "listen": self._listen,
                    "stop_listening": self._stop_listening,
                    "restart_master": self._restart_master,
                    "master_clock": self._master_clock,
                    "tamper": self._tamper,
                    "enqueue": self._enqueue,
                }
                await verbs[step.verb](step, scope)
        except UnknownNameError as error:
            raise UnexpectedError(
                step, Mismatch("", "the steps before to name it", str(error))
            ) from None
        except TamperError as error:
            message = f"{step.place}: a mistake of the scenario: {error}"
            raise MistakeError(message) from None
        except OutsideError as error:
            mismatch = Mismatch("", "paths of the scenario's own", str(error))
            raise UnexpectedError(step, mismatch) from None
        except WarpError as error:
            raise UndecidedError(f"{step.place}: {error}") from None
        except AdminError as error:
            mismatch = Mismatch("", "the master to say how things are", str(error))
            raise UnexpectedError(step, mismatch) from None
        except NoReply as error:
            raise UndecidedError(f"{step.place}: no reply: {error}") from None

    async def _start(self, step: Step, scope: Scope) -> None:
        await self._population.start(step.args["agent"], scope.names)

    async def _crash(self, step: Step, _: Scope) -> None:
        await self._population.crash(step.args["agent"])

    async def _stop(self, step: Step, _: Scope) -> None:
        await self._population.stop(step.args["agent"])

    async def _mark(self, step: Step, scope: Scope) -> None:
        scope.names[step.args["as"]] = len(self._world.history.ops)

    async def _write(self, step: Step, scope: Scope) -> None:
        self._disk.write(str(scope.fill(step.args["at"])), scope.fill(step.args["files"]))

    async def _remove(self, step: Step, scope: Scope) -> None:
        self._disk.remove(str(scope.fill(step.args["path"])))

    async def _snapshot(self, step: Step, scope: Scope) -> None:
        scope.names[step.args["as"]] = self._disk.files(str(scope.fill(step.args["of"])))

    async def _wait(self, step: Step, scope: Scope) -> None:
        duration = step.args["for"]
        self._world.history.note(self._world.elapsed_s(), "muster", f"wait {duration.text}")
        clock = self._world.clock
        deadline_s = clock.monotonic_s() + scope.seconds(duration)
        self._world.announce(duration.text, scope.seconds(duration))
        with self._world.activity.resting():
            await self._waiting.wait(deadline_s, self._waits[step.place], self._known(scope))
        self._waits_drag_s += clock.monotonic_s() - deadline_s

    async def _log_in(self) -> None:
        """Get a new token before the old one ends, as somebody at work for days has to."""
        self._renew_s = self._waiting.passed_s() + _LOG_IN_S
        if self._world.log_in is None:
            return
        data = await self._admin.data("POST", "/api/auth/login", dict(self._world.log_in))
        self._world.history.redactor.learn(data["token"])
        self._admin.use_token(data["token"])

    async def _until(self, step: Step, scope: Scope) -> None:
        clock = self._world.clock
        within_s = scope.seconds(step.args["within"]) + self._world.slack_s
        deadline_s = clock.monotonic_s() + within_s
        self._world.announce(f"at most {step.args['within'].text}", within_s)
        while True:
            mismatch = await self._eyes.look(scope, step.args["expect"])
            if mismatch is None:
                self._count(step)
                return
            if deadline_s <= clock.monotonic_s():
                raise UnexpectedError(step, mismatch)
            with self._world.activity.resting():
                await self._waiting.look_again(deadline_s, self._look_every_s, self._known(scope))

    async def _expect(self, step: Step, scope: Scope) -> None:
        mismatch = await self._eyes.look(scope, step.args["expect"])
        if mismatch is not None:
            raise UnexpectedError(step, mismatch)
        self._count(step)

    async def _together(self, step: Step, scope: Scope) -> None:
        async with trio.open_nursery() as nursery:
            for inner in step.args["steps"]:
                nursery.start_soon(self._do, inner, scope)

    async def _for_each(self, step: Step, scope: Scope) -> None:
        for item in scope.fill(step.args["in"]):
            await self.play(step.args["do"], scope.child(item))

    async def _listen(self, step: Step, scope: Scope) -> None:
        token = str(scope.fill(step.args.get("token", self._admin.token)))
        response = await self._feeds.open(step.args["as"], token)
        if response.stream is None:
            body = show(response.body.decode("utf-8", "replace"))
            mismatch = Mismatch("the event stream", "to be opened", f"{response.status} {body}")
            raise UnexpectedError(step, mismatch)

    async def _stop_listening(self, step: Step, _: Scope) -> None:
        await self._feeds.close(step.args["to"])

    async def _restart_master(self, step: Step, scope: Scope) -> None:
        master, clock = self._world.master, self._world.clock
        assert master is not None  # such a scenario has a master of its own
        until_s = clock.monotonic_s() + (
            scope.seconds(step.args["for"]) if "for" in step.args else 0
        )
        self._world.history.note(self._world.elapsed_s(), "muster", "master killed")
        await master.stop()
        await self.play(step.args.get("do", ()), scope)
        until_s = max(until_s, clock.monotonic_s())
        with self._world.activity.resting():
            await self._waiting.wait(until_s, Wait.DOWN, self._known(scope))
            await master.start()
        self._waits_drag_s += clock.monotonic_s() - until_s
        self._world.history.note(self._world.elapsed_s(), "muster", "master started")

    async def _master_clock(self, step: Step, scope: Scope) -> None:
        assert self._world.shift_clock is not None  # the loader asks for the virtual clock
        sign, duration = (1, step.args["jump"]) if "jump" in step.args else (-1, step.args["back"])
        shift_s = sign * scope.seconds(duration)
        self._world.shift_clock(shift_s)
        self._world.history.note(
            self._world.elapsed_s(), "muster", f"master's clock set {shift_s:+g} s"
        )
        await self._log_in()  # the time of a log-in is checked against that clock

    async def _tamper(self, step: Step, scope: Scope) -> None:
        assert self._world.tables is not None  # such a scenario is skipped without a database
        row_id = tamper(self._world.tables, step.args, scope)
        self._world.history.note(self._world.elapsed_s(), "muster", "tampered with the database")
        if "as" in step.args:
            scope.names[step.args["as"]] = {"id": row_id}

    async def _enqueue(self, step: Step, scope: Scope) -> None:
        world = self._world
        assert world.tables is not None  # such a scenario is skipped without a database
        row_id = enqueue(world.tables, step.args, scope, world.clock.now_ns())
        world.history.note(world.elapsed_s(), "muster", f"enqueued {step.args['type']}")
        if "as" in step.args:
            scope.names[step.args["as"]] = {"id": row_id}

    def _known(self, scope: Scope) -> list[Any]:
        """Return all that came from answers and may be compared with others."""
        return [scope.names, self._caller.answers]

    def _count(self, step: Step) -> None:
        for clause in step.clauses or self._scenario.clauses:
            self.tested[clause] = self.tested.get(clause, 0) + 1


def _troubled(scenario: Scenario) -> frozenset[str]:
    """Return the names of answers of which a later step expects that the server stumbles."""
    return frozenset(
        str(name)
        for step in all_steps(scenario.steps)
        for name in (step.args.get("of"), (step.args.get("expect") or {}).get("answers"))
        if name is not None and expects_one(step.args)
    )


def _with_names(step: Step, scope: Scope) -> Step:
    """Return a step with the references filled in that stand for declared names (`${each}`)."""
    names = {
        key: scope.fill(step.args[key])
        for key in ("agent", "task")
        if isinstance(step.args.get(key), str) and "${" in step.args[key]
    }
    if "agent" in names:
        scope.look_up(str(names["agent"]))
    return replace(step, args={**step.args, **names}) if names else step
