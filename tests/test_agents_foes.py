"""Agents that send what they should not: other nodes' ids, bad tokens, nonsense."""

import json
from collections import Counter
from typing import Any

import pytest
import trio
from test_agents_behaviours import LINES, RECORD, RESULT, RUN
from test_agents_fakes import DIRECT, HEARTBEAT, POLL, TOKEN, Arm, World, both, refusal

from simulated_agents.behaviours import make

PROBED = [
    "POST /commands/{}/result",
    "GET /tasks/{}",
    "POST /records/{}",
    "GET /restores/{}/spec",
    "POST /restores/{}",
]


@both
def test_hostile(arm: Arm) -> None:
    """Tries everything with every small id, again and again, whatever it is told."""

    async def body(world: World) -> None:
        for number in (1, 2):
            world.master.answers["GET", f"/api/agent/tasks/{number}"] = refusal(401, "F")
            world.master.answers["POST", f"/api/agent/commands/{number}/result"] = refusal(404, "N")
        options = {"ids": 2, "every": world.timing.poll_s / 2}
        world.start(behaviour=make("hostile", options))
        await world.master.wait_until(lambda: len(world.master.work) >= 15)

        probed = [f"{method} {path}" for method, path, _ in world.master.work]

        assert probed[:15] == [call.format(number) for number in (1, 2, 1) for call in PROBED]
        assert {event.status for event in world.events} == {None, 401, 404}

    arm.run(body)


def test_hostile_leaves_its_own_alone() -> None:
    """What it was given it does as it should."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", {"recordId": 3, "taskId": 7}, 1)
        world.master.enqueue("restore_record", {"restoreRecordId": 4}, 2)
        world.start(behaviour=make("hostile", {"ids": 8, "every": 12}))
        await trio.sleep(200)

        stolen = {
            f"{method} {path}" for method, path, body in world.master.work if "stolen" in str(body)
        }
        fetched = Counter(path for method, path, _ in world.master.work if method == "GET")

        assert "POST /commands/3/result" in stolen
        assert not stolen & {
            *("POST /commands/1/result", "POST /commands/2/result"),
            *("POST /records/3", "POST /restores/4"),
        }
        assert (fetched["/tasks/7"], fetched["/restores/4/spec"]) == (1, 1)

    DIRECT.run(body)


def test_hostile_with_a_command_that_makes_no_sense() -> None:
    """Only the command itself is its own then."""

    async def body(world: World) -> None:
        await world.do("run_task", [], behaviour=make("hostile", {"ids": 1, "every": 7}))
        await trio.sleep(10)

        probed = [f"{method} {path}" for method, path, _ in world.master.work]

        assert probed[1:5] == [call.format(1) for call in PROBED[1:]]

    DIRECT.run(body)


@both
@pytest.mark.parametrize("kind", ["wrong", "empty", "stale"])
def test_unauthorised(arm: Arm, kind: str) -> None:
    """Goes on with a bad token although every call is refused, and tries every endpoint."""

    async def body(world: World) -> None:
        world.master.answers["POST", HEARTBEAT] = refusal(401, "NODE_INVALID_TOKEN")
        options = {"token": kind, "every": world.timing.poll_s}
        agent = world.start(behaviour=make("unauthorised", options))
        agent.use_token("rotated")
        await world.master.wait_until(lambda: len(world.master.work) >= 5)

        tokens = {request.headers["x-agent-token"] for request in world.master.requests}

        assert len(tokens) == 1
        (token,) = tokens
        assert token not in ({"rotated"} if kind == "stale" else {TOKEN, "rotated"})
        assert token == {"empty": "", "stale": TOKEN}.get(kind, token)
        assert len(world.master.sent(POLL)) >= 1

    arm.run(body)


@both
def test_garbage(arm: Arm) -> None:
    """Nonsense to the record and for a result, and then the right thing."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(behaviour=make("garbage", {"size": 5000}))
        await world.master.wait_until(
            lambda: any(b'"success":true}' in request.body for request in good(world, RESULT))
        )

        bad_updates = [r.body for r in world.master.sent(RECORD) if r not in good(world, RECORD)]
        bad_results = [r.body for r in world.master.sent(RESULT) if r not in good(world, RESULT)]

        assert good(world, RECORD)[-1].body.startswith(b'{"status":"success"')
        assert b"" in bad_updates
        assert b"" in bad_results
        assert b'{"fileSize":-1}' in bad_updates
        assert max(len(body) for body in bad_updates) > 5000
        assert max(len(body) for body in bad_results) > 5000

    arm.run(body)


def good(world: World, path: str) -> list[Any]:
    """Return the requests that an honest agent could have sent."""
    honest = []
    for request in world.master.sent(path):
        try:
            body = json.loads(request.body)
        except ValueError:
            continue
        if isinstance(body, dict) and (
            set(body) == {"errorMessage", "result", "success"}
            or "xxx" not in (body.get("logAppend") or "xxx")
        ):
            honest.append(request)
    return honest


def test_garbage_about_a_restore() -> None:
    """Restores have no sizes, and get the rest."""

    async def body(world: World) -> None:
        sent = await world.do(
            "restore_record", {"restoreRecordId": 4}, behaviour=make("garbage"), work=LINES
        )
        bodies = [request.body for request in world.master.sent("/api/agent/restores/4")]

        assert b"garbage" in bodies
        assert not [body for body in bodies if b"fileSize" in body]
        assert sent[-1][1] == "/commands/1/result"

    DIRECT.run(body)
