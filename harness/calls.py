"""What each call of the language asks: from a verb's keys to a request.

One function a verb, and a registry of them; who sends it, and with which token, is the stage's.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from harness.scope import Scope, UnknownNameError

Args = dict[str, Any]

_DISCOVER: Final = {
    "type": "mysql",
    "host": "db.internal",
    "port": 3306,
    "user": "backup",
    "password": "discover-password",
}


ARTIFACT: Final = "backup.tar.gz"
"""What an uploaded backup is called unless a step says otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request without its credentials.

    Attributes:
        method: in capitals.
        path: as it goes into the request line.
        body: sent as JSON unless it is bytes already; `None` is none.
        query: without the question mark.
        agent: the declared agent that sends it, or `None`.
        headers: those that belong to the call, credentials aside.
        streamed: the body goes out as a stream, whose length is what its header says, if it has one.

    """

    method: str
    path: str
    body: Any = None
    query: str = ""
    agent: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def _further(args: Args, scope: Scope, *own: str) -> dict[str, Any]:
    """Return the fields of a request's body: the keys that are not the verb's own."""
    return {key: scope.fill(value) for key, value in args.items() if key not in own}


def _heartbeat(args: Args, scope: Scope) -> Asked:
    fields = {
        "hostname": args["agent"],
        "ipAddress": "192.0.2.1",
        "agentVersion": scope.release.version,
        "os": "linux",
        "arch": "amd64",
        **_further(args, scope, "agent", "headers"),
    }
    return Asked("POST", "/api/agent/heartbeat", fields, agent=args["agent"])


def _poll(args: Args, _: Scope) -> Asked:
    return Asked("POST", "/api/agent/commands/poll", agent=args["agent"])


def _result(args: Args, scope: Scope) -> Asked:
    body = {
        "success": True,
        "errorMessage": "",
        **_further(args, scope, "agent", "command", "headers"),
    }
    path = f"/api/agent/commands/{scope.identify(args['command'])}/result"
    return Asked("POST", path, body, agent=args["agent"])


def _get_task(args: Args, scope: Scope) -> Asked:
    path = f"/api/agent/tasks/{scope.identify(args['task'])}"
    return Asked("GET", path, agent=args["agent"])


def _update_record(args: Args, scope: Scope) -> Asked:
    path = f"/api/agent/records/{scope.identify(args['record'])}"
    body = _further(args, scope, "agent", "record", "headers")
    return Asked("POST", path, body, agent=args["agent"])


def _get_restore(args: Args, scope: Scope) -> Asked:
    path = f"/api/agent/restores/{scope.identify(args['restore'])}/spec"
    return Asked("GET", path, agent=args["agent"])


def _update_restore(args: Args, scope: Scope) -> Asked:
    path = f"/api/agent/restores/{scope.identify(args['restore'])}"
    body = _further(args, scope, "agent", "restore", "headers")
    return Asked("POST", path, body, agent=args["agent"])


def _put_artifact(args: Args, scope: Scope) -> Asked:
    record, target = scope.identify(args["record"]), scope.identify(args["target"])
    content = _content(args, scope)
    said = {name: scope.fill(args[name]) for name in ("key", "sha256", "length") if name in args}
    key = said["key"] if "key" in said else _object_key(args, scope)
    sha256 = said.get("sha256", hashlib.sha256(content).hexdigest())
    length = said.get("length")
    named = {
        "x-backupx-object-key": key,
        "x-backupx-sha256": sha256,
        "content-length": length,
    }
    headers = {name: str(value) for name, value in named.items() if value is not None}
    return Asked(
        "PUT",
        f"/api/agent/records/{record}/artifacts/{target}",
        content,
        agent=args["agent"],
        headers={"content-type": "application/octet-stream", **headers},
        streamed="length" in said,
    )


def _content(args: Args, scope: Scope) -> bytes:
    """Return what is uploaded: a text, or so many bytes of no meaning."""
    if "size" in args:
        size = int(args["size"])
        return (bytes(range(256)) * (size // 256 + 1))[:size]
    return str(scope.fill(args.get("content", "a backup\n"))).encode()


def _object_key(args: Args, scope: Scope) -> str:
    """Return the key of a record's object: protocol 3.1, the form of relayed uploads."""
    record = scope.look_up(args["record"]) if isinstance(args["record"], str) else None
    if not isinstance(record, dict) or "objects" not in record:
        raise UnknownNameError("the run that made the record, whose answer its key is made of")
    return f"{record['objects']}/{scope.fill(args.get('file', ARTIFACT))}"


def object_folder(record: Any, scope: Scope) -> str | None:
    """Return the folder of a record's objects at a target, given what a run was answered.

    Protocol 3.1: the type of the task, the day of the run in UTC, the record's id.
    """
    if not isinstance(record, dict) or not isinstance(record.get("startedAt"), str):
        return None
    kinds = [
        task["request"]["type"] for task in scope.tasks() if task["id"] == record.get("taskId")
    ]
    day = record["startedAt"].replace("-", "")[2:8]
    return f"BackupX/{kinds[0]}/{day}/records/{record.get('id')}" if kinds else None


def _get_artifact(args: Args, scope: Scope) -> Asked:
    path = f"/api/agent/restores/{scope.identify(args['restore'])}/artifact"
    return Asked("GET", path, agent=args["agent"])


def _self(args: Args, _: Scope) -> Asked:
    return Asked("GET", "/api/v1/agent/self", agent=args["agent"])


def _run(args: Args, scope: Scope) -> Asked:
    return Asked("POST", f"/api/backup/tasks/{scope.identify(args['task'])}/run")


def _restore(args: Args, scope: Scope) -> Asked:
    return Asked("POST", f"/api/backup/records/{scope.identify(args['record'])}/restore")


def _list_dir(args: Args, scope: Scope) -> Asked:
    query = f"path={scope.fill(args['path'])}" if "path" in args else ""
    return Asked("GET", f"/api/nodes/{scope.identify(args['agent'])}/fs/list", query=query)


def _discover(args: Args, scope: Scope) -> Asked:
    body = {
        **_DISCOVER,
        "nodeId": scope.identify(args["agent"]),
        **_further(args, scope, "agent", "headers"),
    }
    return Asked("POST", "/api/database/discover", body)


def _rotate(args: Args, scope: Scope) -> Asked:
    return Asked("POST", f"/api/nodes/{scope.identify(args['agent'])}/rotate-token")


def _lock(args: Args, scope: Scope, *, locked: bool) -> Asked:
    path = f"/api/backup/records/{scope.identify(args['record'])}/lock"
    return Asked("PUT", path, {"locked": locked})


def _update_task(args: Args, scope: Scope) -> Asked:
    declared = scope.look_up(args["task"])
    body = {**declared["request"], **_further(args, scope, "task", "headers")}
    return Asked("PUT", f"/api/backup/tasks/{declared['id']}", body)


def _update_node(args: Args, scope: Scope) -> Asked:
    node = scope.look_up(args["agent"])
    body = {"name": node["name"], **_further(args, scope, "agent", "headers")}
    return Asked("PUT", f"/api/nodes/{node['id']}", body)


def _move_task(args: Args, scope: Scope) -> Asked:
    declared = scope.look_up(args["task"])
    body = {**declared["request"], "nodeId": scope.identify(args["agent"])}
    return Asked("PUT", f"/api/backup/tasks/{declared['id']}", body)


def _delete(args: Args, scope: Scope) -> Asked:
    paths = {
        "agent": "/api/nodes",
        "task": "/api/backup/tasks",
        "target": "/api/storage-targets",
        "record": "/api/backup/records",
    }
    (kind,) = (key for key in args if key in paths)
    return Asked("DELETE", f"{paths[kind]}/{scope.identify(args[kind])}")


def _admin(args: Args, scope: Scope) -> Asked:
    path, _, query = str(scope.fill(args["path"])).partition("?")
    body = (
        str(scope.fill(args["body"])).encode() if "body" in args else scope.fill(args.get("json"))
    )
    return Asked(scope.fill(args["method"]), path, body, query)


def _request(args: Args, scope: Scope) -> Asked:
    return replace(_admin(args, scope), agent=args.get("agent"))


CALLS: Final[dict[str, Callable[[Args, Scope], Asked]]] = {
    "heartbeat": _heartbeat,
    "poll": _poll,
    "result": _result,
    "get_task": _get_task,
    "update_record": _update_record,
    "get_restore": _get_restore,
    "update_restore": _update_restore,
    "put_artifact": _put_artifact,
    "get_artifact": _get_artifact,
    "self": _self,
    "run": _run,
    "restore": _restore,
    "list_dir": _list_dir,
    "discover": _discover,
    "rotate": _rotate,
    "lock": partial(_lock, locked=True),
    "unlock": partial(_lock, locked=False),
    "update_task": _update_task,
    "update_node": _update_node,
    "move_task": _move_task,
    "delete": _delete,
    "admin": _admin,
    "request": _request,
}
"""Every verb that makes a call."""
