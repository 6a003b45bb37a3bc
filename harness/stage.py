"""One scenario being played: a method a verb, and the names it has given so far."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import msgspec
import trio

from harness.activity import PROMPT_S
from harness.calls import CALLS
from harness.expect import Mismatch, matches, show
from harness.history import RecordingPort
from harness.looking import Eyes
from harness.population import Population
from harness.scenario.model import Scenario, Step, TaskDecl
from harness.scenario.verbs import VERBS
from harness.scope import Scope, UnknownNameError
from harness.tamper import TamperError, tamper
from harness.world import Admin, AdminError, World, body_bytes
from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply

_LOOK_EVERY_S: Final = 1.0
"""How often `until` looks, in seconds of a scenario."""

_LOG_IN_S: Final = 72_000.0
"""After how long the administrator logs in again: a log-in lasts 24 h."""

_WAITS_FOR_AGENTS: Final = frozenset({"list_dir", "discover"})
"""Calls that take as long as their agents do."""


class UnexpectedError(Exception):
    """Something was not as the scenario says.

    Attributes:
        step: the step that says so.
        mismatch: what was expected, and what was seen.

    """

    def __init__(self, step: Step, mismatch: Mismatch) -> None:
        super().__init__(str(mismatch))
        self.step = step
        self.mismatch = mismatch


class UndecidedError(Exception):
    """The run cannot tell: a reply was lost where none should have been."""


class SetUpError(UndecidedError):
    """The master would not let the scenario be set up."""


class Stage:
    """Plays the steps of one scenario in one world.

    Args:
        scenario: what is played.
        world: where.
        nursery: where agents and calls in the background live.

    Attributes:
        tested: for each clause, how many expectations about it held.
        drag_s: how much longer than planned all waits and prompt calls took.

    """

    def __init__(self, scenario: Scenario, world: World, nursery: trio.Nursery) -> None:
        self._scenario = scenario
        self._world = world
        self._nursery = nursery
        self._admin_port = world.port("admin")
        self._token = world.admin_token
        self._renew_s = world.clock.monotonic_s() + _LOG_IN_S
        self._admin = Admin(self._admin_port, self._token)
        self._scope = Scope(world)
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._pending: dict[str, trio.Event] = {}
        # on a fast clock, looking as often as on a slow one would be all that happens
        self._look_every_s = max(
            _LOOK_EVERY_S / world.factor, min(world.slack_s / 5, _LOOK_EVERY_S)
        )
        self._population = Population(scenario, world, nursery)
        self._eyes = Eyes(world, self._admin, self._answers)
        self.tested: dict[str, int] = {}
        self.drag_s = 0.0

    # --- before the first step ---------------------------------------------------------------

    async def prepare(self) -> None:
        """Make the agents' nodes, the storage targets and the tasks; start the agents' processes.

        Raises:
            SetUpError: the master refused one of them, or did not answer.

        """
        try:
            await self._prepare()
        except (AdminError, NoReply, KeyError, TypeError, ValueError) as error:
            raise SetUpError(f"the scenario cannot be set up: {error!s}") from error

    async def _prepare(self) -> None:
        self._world.history.note(self._world.elapsed_s(), "muster", "phase: prepare")
        names = self._scope.names
        for name in self._population.names:
            known = self._world.prefix + name
            made = await self._admin.data("POST", "/api/nodes", {"name": known})
            self._world.history.redactor.learn(made["token"])
            names[name] = {"name": known, "token": made["token"]}
        if self._population.names:
            ids = {node["name"]: node["id"] for node in await self._admin.data("GET", "/api/nodes")}
            for name in self._population.names:
                names[name]["id"] = ids[names[name]["name"]]
        for target in self._scenario.targets:
            self._world.history.redactor.learn_from({"config": target.config})
            body = {
                "name": self._world.prefix + target.name,
                "type": target.type,
                "enabled": True,
                "config": target.config,
            }
            names[target.name] = await self._admin.data("POST", "/api/storage-targets", body)
        for task in self._scenario.tasks:
            body = self._task_body(task)
            self._world.history.redactor.learn_from(body)
            made = await self._admin.data("POST", "/api/backup/tasks", body)
            names[task.name] = {**made, "request": body}
        self._population.start_all(names)
        self._world.history.note(self._world.elapsed_s(), "muster", "phase: stress")

    def _task_body(self, task: TaskDecl) -> dict[str, Any]:
        names = self._scope.names
        source = {"sourcePath": "/data"} if task.type == "file" else {}
        return {
            "name": self._world.prefix + task.name,
            "type": task.type,
            "enabled": True,
            "storageTargetIds": [names[target]["id"] for target in task.targets],
            "nodeId": names[task.agent]["id"],
            "compression": "gzip",
            **source,
            **self._scope.fill(task.fields),
        }

    async def aclose(self) -> None:
        """Close every way to the master."""
        await self._population.aclose()
        await self._admin_port.aclose()

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
            if self._world.clock.monotonic_s() >= self._renew_s:
                await self._log_in()
            step = _with_names(step, scope)
            if VERBS[step.verb].call:
                await self._call(step, scope)
            else:
                verbs: dict[str, Callable[[Step, Scope], Awaitable[None]]] = {
                    "start": self._start,
                    "crash": self._crash,
                    "wait": self._wait,
                    "until": self._until,
                    "expect": self._expect,
                    "answer": self._answer,
                    "together": self._together,
                    "for_each": self._for_each,
                    "tamper": self._tamper,
                }
                await verbs[step.verb](step, scope)
        except UnknownNameError as error:
            raise UnexpectedError(
                step, Mismatch("", "the steps before to name it", str(error))
            ) from None
        except TamperError as error:
            mismatch = Mismatch("", "a table and columns of the master's database", str(error))
            raise UnexpectedError(step, mismatch) from None
        except AdminError as error:
            mismatch = Mismatch("", "the master to say how things are", str(error))
            raise UnexpectedError(step, mismatch) from None
        except NoReply as error:
            raise UndecidedError(f"{step.place}: no reply: {error}") from None

    async def _start(self, step: Step, scope: Scope) -> None:
        await self._population.start(step.args["agent"], scope.names)

    async def _crash(self, step: Step, _: Scope) -> None:
        await self._population.crash(step.args["agent"])

    async def _wait(self, step: Step, scope: Scope) -> None:
        duration = step.args["for"]
        self._world.history.note(self._world.elapsed_s(), "muster", f"wait {duration.text}")
        clock = self._world.clock
        deadline_s = clock.monotonic_s() + scope.seconds(duration)
        with self._world.activity.resting():
            await clock.sleep_until(deadline_s)
        self.drag_s += clock.monotonic_s() - deadline_s

    async def _log_in(self) -> None:
        """Get a new token before the old one ends, as somebody at work for days has to."""
        data = await self._admin.data("POST", "/api/auth/login", dict(self._world.log_in))
        self._token = data["token"]
        self._world.history.redactor.learn(self._token)
        self._renew_s = self._world.clock.monotonic_s() + _LOG_IN_S
        self._admin.use_token(self._token)

    async def _until(self, step: Step, scope: Scope) -> None:
        clock = self._world.clock
        within_s = scope.seconds(step.args["within"]) + self._world.slack_s
        deadline_s = clock.monotonic_s() + within_s
        while True:
            mismatch = await self._eyes.look(scope, step.args["expect"])
            if mismatch is None:
                self._count(step)
                return
            left_s = deadline_s - clock.monotonic_s()
            if left_s <= 0:
                raise UnexpectedError(step, mismatch)
            with self._world.activity.resting():
                await clock.sleep(min(self._look_every_s, left_s))

    async def _expect(self, step: Step, scope: Scope) -> None:
        mismatch = await self._eyes.look(scope, step.args["expect"])
        if mismatch is not None:
            raise UnexpectedError(step, mismatch)
        self._count(step)

    async def _answer(self, step: Step, scope: Scope) -> None:
        name = step.args["of"]
        await self._pending[name].wait()
        for answer in self._answers[name]:
            self._check_answer(step, step.args.get("expect"), answer, scope)

    async def _together(self, step: Step, scope: Scope) -> None:
        async with trio.open_nursery() as nursery:
            for inner in step.args["steps"]:
                nursery.start_soon(self._do, inner, scope)

    async def _for_each(self, step: Step, scope: Scope) -> None:
        for item in scope.fill(step.args["in"]):
            await self.play(step.args["do"], scope.child(item))

    async def _tamper(self, step: Step, scope: Scope) -> None:
        assert self._world.tables is not None  # such a scenario is skipped without a database
        row_id = tamper(self._world.tables, step.args, scope)
        self._world.history.note(self._world.elapsed_s(), "muster", "tampered with the database")
        if "as" in step.args:
            scope.names[step.args["as"]] = {"id": row_id}

    # --- calls ----------------------------------------------------------------------------------

    async def _call(self, step: Step, scope: Scope) -> None:
        if step.background:
            assert step.name is not None  # the loader asks for a name
            self._pending[step.name] = trio.Event()
            self._nursery.start_soon(self._call_in_background, step, scope)
            return
        answers = await self._make_calls(step, scope)
        for answer in answers:
            self._check_answer(step, step.expect, answer, scope)

    async def _call_in_background(self, step: Step, scope: Scope) -> None:
        assert step.name is not None
        await self._make_calls(step, scope)
        self._pending[step.name].set()

    async def _make_calls(self, step: Step, scope: Scope) -> list[dict[str, Any]]:
        """Make a step's call, as often as it says at the same moment, and name the answers."""
        port, request = self._request(step, scope)
        answers: list[dict[str, Any]] = []
        redactor = self._world.history.redactor
        redactor.learn_request(request)

        async def once() -> None:
            answer = _described(await port.send(request))
            redactor.learn_from(answer.get("json"))
            answers.append(answer)

        began_s = self._world.clock.monotonic_s()

        if step.times == 1:
            await once()
        else:
            async with trio.open_nursery() as nursery:
                for _ in range(step.times):
                    nursery.start_soon(once)
        if step.verb not in _WAITS_FOR_AGENTS:
            took_s = self._world.clock.monotonic_s() - began_s
            self.drag_s += max(0.0, took_s - PROMPT_S * step.times)
        if step.name is not None:
            self._answers[step.name] = answers
            scope.names[step.name] = _named(step.verb, answers)
        if step.verb == "rotate" and answers[0]["code"] == "OK":
            agent = self._scope.names[step.args["agent"]]
            agent.update(previous_token=agent["token"], token=answers[0]["data"]["newToken"])
            self._world.history.redactor.learn(agent["token"])
            self._population.use_token(step.args["agent"], agent["token"])
        return answers

    def _request(self, step: Step, scope: Scope) -> tuple[RecordingPort, Request]:
        """Return a call's request with its credentials, and the port it goes through."""
        asked = CALLS[step.verb](step.args, scope)
        token = None if step.token is None else str(scope.fill(step.token))
        raw = body_bytes(asked.body)
        headers = {"content-type": "application/json"} if raw else {}
        given = step.args.get("headers", {})
        headers.update({name.lower(): str(scope.fill(value)) for name, value in given.items()})
        if asked.agent is not None:
            own = scope.names[asked.agent]["token"]
            headers.setdefault("x-agent-token", own if token is None else token)
            port = self._population.port(asked.agent)
        elif step.verb == "request":
            if token is not None:
                headers.setdefault("authorization", f"Bearer {token}")
            port = self._population.port("stranger")
        else:
            own = self._token
            headers.setdefault("authorization", f"Bearer {own if token is None else token}")
            port = self._admin_port
        return port, Request(asked.method, asked.path, headers, raw, asked.query)

    def _check_answer(
        self, step: Step, expect: dict[str, Any] | None, answer: dict[str, Any], scope: Scope
    ) -> None:
        expected = dict(scope.fill(expect or {}))
        if "command" in expected:
            command = expected.pop("command")
            wanted = {"type": command} if isinstance(command, str) else command
            expected["data"] = {**expected.get("data", {}), "command": wanted}
        if not expected.keys() & {"status", "code"}:
            expected["status"] = 200
        mismatch = matches(expected, answer)
        if mismatch is not None:
            seen = f"{mismatch.seen}; the answer was {answer['status']} {show(answer['body'])}"
            raise UnexpectedError(step, Mismatch(mismatch.where, mismatch.expected, seen))
        if expect is not None:
            self._count(step)

    def _count(self, step: Step) -> None:
        for clause in step.clauses or self._scenario.clauses:
            self.tested[clause] = self.tested.get(clause, 0) + 1


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


def _described(response: Response) -> dict[str, Any]:
    """Return an answer as a value to look at."""
    answer: dict[str, Any] = {
        "status": response.status,
        "code": None,
        "headers": {name.lower(): value for name, value in response.all_headers()},
        "body": response.body.decode("utf-8", "replace"),
    }
    try:
        envelope = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return answer
    answer["json"] = envelope
    if isinstance(envelope, dict):
        answer.update(
            {key: envelope[key] for key in ("code", "message", "data") if key in envelope}
        )
    return answer


def _named(verb: str, answers: list[dict[str, Any]]) -> Any:
    """Return what a name given with `as` stands for: the thing in the answer."""
    data = answers[0].get("data")
    if verb == "poll":
        return (data or {}).get("command")
    return data if data is not None else answers[0]
