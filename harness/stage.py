"""One scenario being played: a method a verb, and the names it has given so far."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import trio

from harness.expect import Mismatch, matches, show
from harness.looking import Eyes
from harness.population import Population
from harness.scenario.model import Scenario, Step, TaskDecl
from harness.scenario.verbs import VERBS
from harness.scope import Scope, UnknownNameError
from harness.tamper import tamper
from harness.world import Admin, World
from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply

_LOOK_EVERY_S: Final = 1.0
"""How often `until` looks, in seconds of a scenario; a faster clock looks as much more often."""

_DISCOVER: Final = {
    "type": "mysql",
    "host": "db.internal",
    "port": 3306,
    "user": "backup",
    "password": "discover-password",
}


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


class Stage:
    """Plays the steps of one scenario in one world.

    Args:
        scenario: what is played.
        world: where.
        nursery: where agents and calls in the background live.

    Attributes:
        tested: for each clause, how many expectations about it held.
        late_s: how much too late the latest `wait` ended.

    """

    def __init__(self, scenario: Scenario, world: World, nursery: trio.Nursery) -> None:
        self._scenario = scenario
        self._world = world
        self._nursery = nursery
        self._admin_port = world.port("admin")
        self._admin = Admin(self._admin_port, world.admin_token)
        self._scope = Scope(world)
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._pending: dict[str, trio.Event] = {}
        self._task_bodies: dict[str, dict[str, Any]] = {}
        self._population = Population(scenario, world, nursery)
        self._eyes = Eyes(world, self._admin, self._answers)
        self.tested: dict[str, int] = {}
        self.late_s = 0.0

    # --- before the first step ---------------------------------------------------------------

    async def prepare(self) -> None:
        """Make the agents' nodes, the storage targets and the tasks; start the agents' processes.

        Raises:
            AdminError: the master refused one of them.

        """
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
            body = {
                "name": self._world.prefix + target.name,
                "type": target.type,
                "enabled": True,
                "config": target.config,
            }
            names[target.name] = await self._admin.data("POST", "/api/storage-targets", body)
        for task in self._scenario.tasks:
            body = self._task_body(task)
            self._task_bodies[task.name] = body
            names[task.name] = await self._admin.data("POST", "/api/backup/tasks", body)
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
            raise UnexpectedError(step, Mismatch("", "the steps before to name it", str(error))) from None
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
        await clock.sleep_until(deadline_s)
        self.late_s = max(self.late_s, clock.monotonic_s() - deadline_s)

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
            await clock.sleep(min(_LOOK_EVERY_S / self._world.factor, left_s))

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

        async def once() -> None:
            answers.append(_described(await port.send(request)))

        if step.times == 1:
            await once()
        else:
            async with trio.open_nursery() as nursery:
                for _ in range(step.times):
                    nursery.start_soon(once)
        if step.name is not None:
            self._answers[step.name] = answers
            scope.names[step.name] = _named(step.verb, answers)
        if step.verb == "rotate" and answers[0]["code"] == "OK":
            agent = self._scope.names[step.args["agent"]]
            agent.update(previous_token=agent["token"], token=answers[0]["data"]["newToken"])
            self._world.history.redactor.learn(agent["token"])
        return answers

    def _request(self, step: Step, scope: Scope) -> tuple[Any, Request]:
        builder = getattr(self, f"_ask_{step.verb}")
        method, path, body, query, who = builder(step.args, scope)
        token = None if step.token is None else scope.fill(step.token)
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"} if raw else {}
        headers.update({k.lower(): scope.fill(v) for k, v in step.args.get("headers", {}).items()})
        if who is None:
            if step.verb != "request" or token is not None:
                headers.setdefault("authorization", f"Bearer {token or self._world.admin_token}")
            port = self._admin_port if step.verb != "request" else self._population.port("stranger")
        else:
            headers.setdefault(
                "x-agent-token", scope.names[who]["token"] if token is None else token
            )
            port = self._population.port(who)
        return port, Request(method, path, headers, raw, query)

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

    # --- what each call asks: method, path, body, query, whose token ----------------------------

    def _ask_heartbeat(self, args: dict[str, Any], scope: Scope) -> Any:
        fields = {
            "hostname": args["agent"],
            "ipAddress": "192.0.2.1",
            "agentVersion": "v2.0.0",
            "os": "linux",
            "arch": "amd64",
            **_further(args, scope, "agent", "headers"),
        }
        return "POST", "/api/agent/heartbeat", fields, "", args["agent"]

    def _ask_poll(self, args: dict[str, Any], _: Scope) -> Any:
        return "POST", "/api/agent/commands/poll", None, "", args["agent"]

    def _ask_result(self, args: dict[str, Any], scope: Scope) -> Any:
        body = {
            "success": True,
            "errorMessage": "",
            **_further(args, scope, "agent", "command", "headers"),
        }
        path = f"/api/agent/commands/{scope.identify(args['command'])}/result"
        return "POST", path, body, "", args["agent"]

    def _ask_get_task(self, args: dict[str, Any], scope: Scope) -> Any:
        path = f"/api/agent/tasks/{scope.identify(args['task'])}"
        return "GET", path, None, "", args["agent"]

    def _ask_update_record(self, args: dict[str, Any], scope: Scope) -> Any:
        path = f"/api/agent/records/{scope.identify(args['record'])}"
        return "POST", path, _further(args, scope, "agent", "record", "headers"), "", args["agent"]

    def _ask_get_restore(self, args: dict[str, Any], scope: Scope) -> Any:
        path = f"/api/agent/restores/{scope.identify(args['restore'])}/spec"
        return "GET", path, None, "", args["agent"]

    def _ask_update_restore(self, args: dict[str, Any], scope: Scope) -> Any:
        path = f"/api/agent/restores/{scope.identify(args['restore'])}"
        return "POST", path, _further(args, scope, "agent", "restore", "headers"), "", args["agent"]

    def _ask_self(self, args: dict[str, Any], _: Scope) -> Any:
        return "GET", "/api/v1/agent/self", None, "", args["agent"]

    def _ask_run(self, args: dict[str, Any], scope: Scope) -> Any:
        return "POST", f"/api/backup/tasks/{scope.identify(args['task'])}/run", None, "", None

    def _ask_restore(self, args: dict[str, Any], scope: Scope) -> Any:
        return "POST", f"/api/backup/records/{scope.identify(args['record'])}/restore", None, "", None

    def _ask_list_dir(self, args: dict[str, Any], scope: Scope) -> Any:
        query = f"path={scope.fill(args['path'])}" if "path" in args else ""
        return "GET", f"/api/nodes/{scope.identify(args['agent'])}/fs/list", None, query, None

    def _ask_discover(self, args: dict[str, Any], scope: Scope) -> Any:
        body = {
            **_DISCOVER,
            "nodeId": scope.identify(args["agent"]),
            **_further(args, scope, "agent", "headers"),
        }
        return "POST", "/api/database/discover", body, "", None

    def _ask_rotate(self, args: dict[str, Any], scope: Scope) -> Any:
        return "POST", f"/api/nodes/{scope.identify(args['agent'])}/rotate-token", None, "", None

    def _ask_move_task(self, args: dict[str, Any], scope: Scope) -> Any:
        body = {**self._task_bodies[args["task"]], "nodeId": scope.identify(args["agent"])}
        return "PUT", f"/api/backup/tasks/{scope.identify(args['task'])}", body, "", None

    def _ask_delete(self, args: dict[str, Any], scope: Scope) -> Any:
        paths = {
            "agent": "/api/nodes",
            "task": "/api/backup/tasks",
            "target": "/api/storage-targets",
            "record": "/api/backup/records",
        }
        (kind,) = (key for key in args if key in paths)
        return "DELETE", f"{paths[kind]}/{scope.identify(args[kind])}", None, "", None

    def _ask_admin(self, args: dict[str, Any], scope: Scope) -> Any:
        path, _, query = str(scope.fill(args["path"])).partition("?")
        body = args["body"].encode() if "body" in args else scope.fill(args.get("json"))
        return scope.fill(args["method"]), path, body, query, None

    def _ask_request(self, args: dict[str, Any], scope: Scope) -> Any:
        return (*self._ask_admin(args, scope)[:4], args.get("agent"))


def _further(args: dict[str, Any], scope: Scope, *own: str) -> dict[str, Any]:
    """Return the fields of a request's body: the keys that are not the verb's own."""
    return {key: scope.fill(value) for key, value in args.items() if key not in own}


def _described(response: Response) -> dict[str, Any]:
    """Return an answer as a value to look at."""
    answer: dict[str, Any] = {
        "status": response.status,
        "code": None,
        "headers": {name.lower(): value for name, value in response.headers},
        "body": response.body.decode("utf-8", "replace"),
    }
    try:
        envelope = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return answer
    answer["json"] = envelope
    if isinstance(envelope, dict):
        answer.update({key: envelope[key] for key in ("code", "message", "data") if key in envelope})
    return answer


def _named(verb: str, answers: list[dict[str, Any]]) -> Any:
    """Return what a name given with `as` stands for: the thing in the answer."""
    data = answers[0].get("data")
    if verb == "poll":
        return (data or {}).get("command")
    return data if data is not None else answers[0]


