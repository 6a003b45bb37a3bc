"""What an agent says, byte for byte, and how it takes the answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from test_agents_fakes import HEARTBEAT, POLL, TOKEN, Arm, FakeMaster, World, both, ok, refusal

from master.protocol.exchange import Response
from simulated_agents.client import AgentClient, Identity, Refused, Unreadable
from simulated_agents.messages import (
    HeartbeatAnswer,
    RecordReport,
    RestoreReport,
    SelfStatus,
    TaskSpec,
)
from simulated_agents.ports.direct import DirectPort

Call = Callable[[AgentClient], Awaitable[Any]]

CALLS: dict[str, tuple[Call, str, str, bytes]] = {
    "heartbeat": (
        lambda client: client.heartbeat(),
        "POST",
        HEARTBEAT,
        b'{"token":"%s","hostname":"h","agentVersion":"v2.0.0","os":"linux","arch":"arm64"}'
        % TOKEN.encode(),
    ),
    "poll": (lambda client: client.poll(), "POST", POLL, b""),
    "success": (
        lambda client: client.report_result(9, success=True, result={"deleted": True}),
        "POST",
        "/api/agent/commands/9/result",
        b'{"errorMessage":"","result":{"deleted":true},"success":true}',
    ),
    "failure": (
        lambda client: client.report_result(9, success=False, error="<no>"),
        "POST",
        "/api/agent/commands/9/result",
        b'{"errorMessage":"\\u003cno\\u003e","success":false}',
    ),
    "task": (lambda client: client.task_spec(7), "GET", "/api/agent/tasks/7", b""),
    "record": (
        lambda client: client.update_record(3, RecordReport(fileSize=5, logAppend="é\n")),
        "POST",
        "/api/agent/records/3",
        '{"fileSize":5,"logAppend":"é\\n"}'.encode(),
    ),
    "restore": (
        lambda client: client.update_restore(4, RestoreReport(status="success")),
        "POST",
        "/api/agent/restores/4",
        b'{"status":"success"}',
    ),
    "restore spec": (
        lambda client: client.restore_spec(4),
        "GET",
        "/api/agent/restores/4/spec",
        b"",
    ),
    "self": (lambda client: client.self_status(), "GET", "/api/v1/agent/self", b""),
}


@both
@pytest.mark.parametrize("name", CALLS)
def test_each_call_has_the_real_agents_bytes(arm: Arm, name: str) -> None:
    """Method, path and body; the token always, a content type only with a body."""
    call, method, path, sent = CALLS[name]

    async def body(world: World) -> None:
        world.master.answers["GET", "/api/v1/agent/self"] = ok({"id": 2})
        identity = Identity(hostname="h", arch="arm64")
        await call(AgentClient(world.port, TOKEN, identity))

        (request,) = world.master.requests

        assert (request.method, request.path, request.body) == (method, path, sent)
        assert request.headers["x-agent-token"] == TOKEN
        assert request.headers.get("content-type") == ("application/json" if sent else None)

    arm.run(body)


def ask(answer: Response, call: Call) -> Any:
    """Return what a call makes of an answer that a master gives to everything."""

    async def handle(_: Any) -> Response:
        return answer

    async def main() -> Any:
        return await call(AgentClient(DirectPort(handle), TOKEN))

    return trio.run(main)


def heartbeat(client: AgentClient) -> Awaitable[Any]:
    return client.heartbeat()


def poll(client: AgentClient) -> Awaitable[Any]:
    return client.poll()


def test_a_claimed_command_keeps_its_payload() -> None:
    """Whatever JSON the payload is, it comes through."""
    body = b'{"code":"OK","data":{"command":{"id":3,"type":"t","payload":[1, {"a":null}],"x":1}}}'

    command = ask(Response(200, body), poll)

    assert (command.id, command.type, bytes(command.payload)) == (3, "t", b'[1, {"a":null}]')


@pytest.mark.parametrize(
    "body", [b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":{"command":null}}']
)
def test_an_answer_without_a_command_is_none(body: bytes) -> None:
    """A missing field and null are the same to the real agent."""
    assert ask(Response(200, body), poll) is None


NONSENSE = [b"", b"<html>", b"[]", b'{"data":17}']


@pytest.mark.parametrize(
    ("call", "body"),
    [(call, body) for call in (heartbeat, poll) for body in NONSENSE]
    + [(poll, b'{"data":{"command":7}}'), (heartbeat, b'{"data":{"nodeId":"2"}}')],
)
def test_an_answer_that_cannot_be_read(call: Call, body: bytes) -> None:
    """Success with nonsense is neither a refusal nor an answer."""
    with pytest.raises(Unreadable):
        ask(Response(200, body), call)


def test_an_answer_outside_its_envelope() -> None:
    """The real agent takes a bare object as well."""
    assert ask(Response(200, b'{"nodeId":4}'), heartbeat) == HeartbeatAnswer(nodeId=4)


def test_a_null_answer_is_all_zero() -> None:
    """Null data leaves every field at zero, as in the real agent."""
    answer = ask(Response(200, b'{"code":"OK","data":null}'), lambda client: client.self_status())

    assert answer == SelfStatus()


def test_null_lists_are_empty() -> None:
    """Go writes an empty list as null."""
    spec = ask(ok({"name": "n", "storageTargets": None}), lambda client: client.task_spec(1))

    assert spec == TaskSpec(name="n")


def test_a_report_does_not_read_its_answer() -> None:
    """Any success is fine for a report, whatever is in it."""
    report = RecordReport(status="success")

    assert ask(Response(204, b"nonsense"), lambda client: client.update_record(1, report)) is None


@pytest.mark.parametrize("call", [call for call, *_ in CALLS.values()], ids=list(CALLS))
def test_every_call_tells_a_refusal(call: Call) -> None:
    """Status, code and message; the text is the real agent's and has no token in it."""
    with pytest.raises(Refused) as caught:
        ask(refusal(401, "NODE_INVALID_TOKEN", "无效"), call)

    refused = caught.value

    assert (refused.status, refused.code, refused.message) == (401, "NODE_INVALID_TOKEN", "无效")
    assert str(refused).startswith(f"{refused.method} {refused.path}: http 401: {{")
    assert TOKEN not in str(refused)


def test_a_refusal_that_is_no_json() -> None:
    """A proxy's page has a status, and no code."""
    with pytest.raises(Refused) as caught:
        ask(Response(502, b"\xffBad Gateway"), poll)

    assert (caught.value.status, caught.value.code) == (502, "")


def test_a_new_token_is_used_from_then_on() -> None:
    """In headers and in the heartbeat's body."""
    master = FakeMaster()

    async def main() -> None:
        client = AgentClient(DirectPort(master.handle), TOKEN)
        client.use_token("new")
        await client.heartbeat()
        await client.poll()

    trio.run(main)

    assert [request.headers["x-agent-token"] for request in master.requests] == ["new", "new"]
    assert b'"token":"new"' in master.requests[0].body
