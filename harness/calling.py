"""The calls of a scenario's steps: sent with the right credentials, named, and their answers judged."""

from collections.abc import Callable, Container
from functools import partial
from hashlib import sha256
from typing import Any, Final

import msgspec
import trio

from harness.activity import PROMPT_S
from harness.broken import UndecidedError, UnexpectedError
from harness.calls import CALLS, object_folder
from harness.expect import Mismatch, matches, show
from harness.faults import Faults, losing
from harness.hiccups import expects_one
from harness.history import RecordingPort
from harness.population import Population
from harness.scenario.model import Step
from harness.scope import Scope
from harness.world import Admin, World, body_bytes
from master.protocol.exchange import Request, Response, Whole
from simulated_agents.ports import NoReply

_WAITS_FOR_AGENTS: Final = frozenset({"list_dir", "discover"})
"""Calls that take as long as their agents do."""


class Caller:
    """Makes calls.

    Args:
        world: where.
        admin: the administrator, for calls that are theirs.
        population: the ways to the master that agents have.
        scope: names that hold everywhere in the scenario.
        count: is told each step whose expectation held.
        troubled: the names of answers that are expected to be hiccups.

    Attributes:
        answers: the answers of calls that have a name.
        drag_s: how much longer than planned prompt calls took.

    """

    def __init__(
        self,
        world: World,
        admin: Admin,
        population: Population,
        scope: Scope,
        count: Callable[[Step], None],
        troubled: Container[str],
    ) -> None:
        self._world = world
        self._admin = admin
        self._population = population
        self._scope = scope
        self._count = count
        self._troubled = troubled
        self._pending: dict[str, trio.Event] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.drag_s = 0.0

    async def call(self, step: Step, scope: Scope, nursery: trio.Nursery) -> None:
        """Make a step's call and judge its answer, or begin it in the background.

        Raises:
            UndecidedError: no answer came, which the step does not speak of.
            UnexpectedError: the answer is not as the step says.

        """
        if step.background:
            assert step.name is not None  # the loader asks for a name
            self._pending[step.name] = trio.Event()
            nursery.start_soon(self._call_in_background, step, scope)
            return
        for answer in await self._make(step, scope):
            self._check(step, step.expect, answer, scope)

    async def answer(self, step: Step, scope: Scope) -> None:
        """Wait for the answer of a call in the background, and judge it.

        Raises:
            UndecidedError: no answer came, which the step does not speak of.
            UnexpectedError: the answer is not as the step says.

        """
        name = step.args["of"]
        await self._pending[name].wait()
        for answer in self.answers[name]:
            self._check(step, step.args.get("expect"), answer, scope)

    async def _call_in_background(self, step: Step, scope: Scope) -> None:
        assert step.name is not None
        await self._make(step, scope)
        self._pending[step.name].set()

    async def _make(self, step: Step, scope: Scope) -> list[dict[str, Any]]:
        """Make a step's call, as often as it says at the same moment, and name the answers."""
        port, request, streamed = self._request(step, scope)
        if step.lose is not None:
            world = self._world
            faults = Faults(
                losing(step.lose), world.clock, world.history, world.elapsed_s, world.seed
            )
            port = port.behind(faults.port)
        answers: list[dict[str, Any]] = []
        redactor = self._world.history.redactor
        redactor.learn_request(request)
        patient = not (streamed or step.lose is not None or self._expects_trouble(step, scope))
        send = partial(self._world.send, port) if patient else port.send

        async def once() -> None:
            sent = request
            if streamed:  # a stream can be sent once
                sent = msgspec.structs.replace(request, body=b"", stream=Whole(request.body))
            try:
                answer = _described(await send(sent))
            except NoReply as error:
                answer = _no_reply(error)
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
            self.answers[step.name] = answers
            scope.names[step.name] = _named(step.verb, answers, scope)
        if step.verb == "rotate" and answers[0]["code"] == "OK":
            self._use_new_token(step.args["agent"], answers[0]["data"]["newToken"])
        return answers

    def _expects_trouble(self, step: Step, scope: Scope) -> bool:
        """Return whether a step expects, or another of its answer, that the master stumbles."""
        if not self._world.hiccups.minded:
            return False
        return step.name in self._troubled or expects_one(scope.fill(step.expect or {}))

    def _use_new_token(self, name: str, token: str) -> None:
        agent = self._scope.names[name]
        agent.update(previous_token=agent["token"], token=token)
        self._world.history.redactor.learn(token)
        self._population.use_token(name, token)

    def _request(self, step: Step, scope: Scope) -> tuple[RecordingPort, Request, bool]:
        """Return a call's request with its credentials, its port, and whether it is a stream."""
        asked = CALLS[step.verb](step.args, scope)
        token = None if step.token is None else str(scope.fill(step.token))
        raw = body_bytes(asked.body)
        headers = {"content-type": "application/json"} if raw else {}
        headers |= asked.headers
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
            own = self._admin.token
            headers.setdefault("authorization", f"Bearer {own if token is None else token}")
            port = self._admin.port
        request = Request(asked.method, asked.path, headers, raw, asked.query)
        return port, request, asked.streamed

    def _check(
        self, step: Step, expect: dict[str, Any] | None, answer: dict[str, Any], scope: Scope
    ) -> None:
        expected = dict(scope.fill(expect or {}))
        if "no_reply" in answer and "no_reply" not in expected and step.lose is None:
            raise UndecidedError(f"{step.place}: no reply: {answer['body']}")
        if "command" in expected:
            command = expected.pop("command")
            wanted = {"type": command} if isinstance(command, str) else command
            expected["data"] = {**expected.get("data", {}), "command": wanted}
        if not expected.keys() & {"status", "code", "no_reply"} and step.lose is None:
            expected["status"] = 200
        mismatch = matches(expected, answer)
        if mismatch is not None:
            seen = f"{mismatch.seen}; the answer was {answer['status']} {show(answer['body'])}"
            raise UnexpectedError(step, Mismatch(mismatch.where, mismatch.expected, seen))
        if expect is not None:
            self._count(step)


def _described(response: Response) -> dict[str, Any]:
    """Return an answer as a value to look at."""
    answer: dict[str, Any] = {
        "status": response.status,
        "code": None,
        "headers": {name.lower(): value for name, value in response.all_headers()},
        "body": response.body.decode("utf-8", "replace"),
        "size": len(response.body),
        "sha256": sha256(response.body).hexdigest(),
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


def _no_reply(error: NoReply) -> dict[str, Any]:
    """Return an answer that did not come, as a value to look at."""
    return {
        "status": None,
        "code": None,
        "headers": {},
        "body": str(error),
        "no_reply": "refused" if error.definite else "lost",
    }


def _named(verb: str, answers: list[dict[str, Any]], scope: Scope) -> Any:
    """Return what a name given with `as` stands for: the thing in the answer."""
    data = answers[0].get("data")
    if verb == "poll":
        return (data or {}).get("command")
    if verb == "run" and data is not None and (folder := object_folder(data, scope)):
        return {**data, "objects": folder}
    return data if data is not None else answers[0]
