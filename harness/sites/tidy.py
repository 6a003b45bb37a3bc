"""Removing what was made on a server that others use too, as far as its release lets anybody.

What is ours has a name that begins as our names do; what has no name is found by the task or the node
that it belongs to. The order is that of the releases (measured on each): a task first, then its node,
then its records, its targets last. Through the API that leaves commands, restore records, install
tokens and the ties of tasks to targets; where the database can be written, those rows are removed by
their ids, in one short transaction. What is left is counted, never hidden.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.hiccups import PAUSES_S, Hiccups
from harness.history import History
from harness.sites.notes import Tally
from harness.target import FileTables
from master.protocol.exchange import Request, Response
from simulated_agents.clock import RealClock
from simulated_agents.ports import Port, close_port

SINK: Final = "muster-sink"
"""A storage target that tasks are moved to before they are deleted, where there is no database: the
server never lets go of the target that a task had in the end, so there is one for all runs."""

NAMED: Final = {
    "nodes": ("/api/nodes", "name"),
    "tasks": ("/api/backup/tasks", "name"),
    "storage targets": ("/api/storage-targets", "name"),
    "API keys": ("/api/api-keys", "name"),
    "users": ("/api/users", "username"),
}
"""What has a name: where it is listed, and under which key the name is."""

_OF_TASKS: Final = {
    "backup records": "/api/backup/records",
    "restore records": "/api/restore/records",
}

_ROWS: Final = (
    ("commands", "DELETE FROM agent_commands WHERE node_id = ?", "nodes"),
    ("install tokens", "DELETE FROM agent_install_tokens WHERE node_id = ?", "nodes"),
    ("restore records", "DELETE FROM restore_records WHERE task_id = ?", "tasks"),
    ("backup records", "DELETE FROM backup_records WHERE task_id = ?", "tasks"),
    ("ties", "DELETE FROM backup_task_storage_targets WHERE backup_task_id = ?", "tasks"),
    (
        "ties",
        "DELETE FROM backup_task_storage_targets WHERE storage_target_id = ?",
        "storage targets",
    ),
    ("backup records", "DELETE FROM backup_records WHERE storage_target_id = ?", "storage targets"),
)
"""The rows that no call removes, and whose id they are found by."""


@dataclass(slots=True)
class Made:
    """What was made, as ids; each kind in the words of a report.

    Attributes:
        ids: by kind.

    """

    ids: dict[str, set[int]] = field(default_factory=dict)

    def add(self, kind: str, row_id: Any) -> None:
        """Know one more; what is no id is nothing."""
        if type(row_id) is int:
            self.ids.setdefault(kind, set()).add(row_id)

    def of(self, kind: str) -> list[int]:
        """Return the ids of a kind, the newest first: what builds on others goes before them."""
        return sorted(self.ids.get(kind, ()), reverse=True)


_MAKING: Final = {
    "/api/backup/tasks": ("tasks", ("id",)),
    "/api/storage-targets": ("storage targets", ("id",)),
    "/api/users": ("users", ("id",)),
    "/api/nodes/batch": ("nodes", ("id",)),
    "/api/api-keys": ("API keys", ("apiKey", "id")),
    "/api/agent/heartbeat": ("nodes", ("nodeId",)),
}
"""Calls whose answer holds the id of what was made, or of the node that the caller is; and where."""


def made_in(history: History) -> Made:
    """Return what a play made, by what the server answered; also what it has deleted since.

    Records are not among it: they are found by the tasks that they belong to, and nothing else says
    as surely that a record is ours.
    """
    made = Made()
    for op in history.ops:
        if op.invoke < 0 or not isinstance(op.subject, Response) or op.subject.status != 200:
            continue
        request = history.ops[op.invoke].subject
        if isinstance(request, Request) and request.method == "POST" and request.path in _MAKING:
            kind, way = _MAKING[request.path]
            data = _data(op.subject)
            for item in data if isinstance(data, list) else [data]:
                made.add(kind, _at(item, way))
    return made


def _at(item: Any, way: tuple[str, ...]) -> Any:
    """Return what is in an answer at the end of some keys; nothing where there is none."""
    for key in way:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


class Tidier:
    """Removes what was made on one server.

    Args:
        port: the way to it.
        token: authorises administration.
        scratch: a folder that it may write in, and that nobody else uses.

    """

    def __init__(self, port: Port, token: str, scratch: Path | None) -> None:
        self._port = port
        self._token = token
        self._scratch = scratch
        self._tables: FileTables | None = None
        self._hiccups = Hiccups(PAUSES_S)

    def use_tables(self, tables: FileTables | None) -> None:
        """Remove rows too; from a database that can be written."""
        self._tables = tables

    async def remove(self, prefix: str, made: Made | None = None) -> Tally:
        """Remove everything whose name begins with a prefix, and what belongs to it.

        Args:
            prefix: begins all names.
            made: what else was made, whose names are not to be found any more.

        Raises:
            NoReply: the server is gone.

        """
        made, there = made or Made(), Made()
        for kind in NAMED:
            for item in await self._list(*NAMED[kind], prefix):
                made.add(kind, item.get("id"))
                there.add(kind, item.get("id"))
        await self._find_records(made)
        tally = Tally()
        if self._tables is None:
            await self._untie(there)
        # what a name does not show to be ours is nothing to delete, whatever else says so
        await self._delete("tasks", there, tally)
        await self._delete("nodes", there, tally)
        await self._delete_records(made, tally)
        if self._tables is not None:
            self._delete_rows(self._tables, made, tally)
        else:
            for row_id in made.of("restore records"):
                tally.leave("restore records", row_id)
        for kind in ("storage targets", "API keys", "users"):
            await self._delete(kind, there, tally)
        return tally

    async def aclose(self) -> None:
        """Close the way to the server."""
        await close_port(self._port)

    async def _find_records(self, made: Made) -> None:
        for task in made.of("tasks"):
            for kind, path in _OF_TASKS.items():
                for item in await self._get(path, f"taskId={task}") or []:
                    made.add(kind, item.get("id"))

    async def _untie(self, made: Made) -> None:
        """Give tasks another target, so that the server lets go of ours."""
        tasks = made.of("tasks")
        if not tasks or not made.of("storage targets"):
            return
        sink = await self._sink()
        for task in tasks:
            body = {
                "name": f"{SINK}-{task}",
                "type": "file",
                "enabled": False,
                "sourcePath": "/data",
                "sourcePaths": ["/data"],
                "storageTargetIds": [sink],
                "compression": "gzip",
            }
            await self._send("PUT", f"/api/backup/tasks/{task}", body)

    async def _sink(self) -> int | None:
        path, key = NAMED["storage targets"]
        for item in await self._list(path, key, SINK):
            if item[key] == SINK and isinstance(item.get("id"), int):
                return int(item["id"])
        body = {
            "name": SINK,
            "type": "local_disk",
            "enabled": False,
            "config": {"basePath": "/dev/null/muster"},
        }
        made = _data(await self._send("POST", path, body))
        return int(made["id"]) if isinstance(made, Mapping) else None

    async def _delete(self, kind: str, made: Made, tally: Tally) -> None:
        path, _ = NAMED[kind]
        for row_id in made.of(kind):
            response = await self._send("DELETE", f"{path}/{row_id}")
            if response.status == 200:
                tally.removed[kind] += 1
            elif response.status != 404:
                tally.leave(kind, row_id, _code(response))

    async def _delete_records(self, made: Made, tally: Tally) -> None:
        kind = "backup records"
        path = _OF_TASKS[kind]
        for row_id in made.of(kind):
            response = await self._send("DELETE", f"{path}/{row_id}")
            if _code(response) == "BACKUP_RECORD_LOCKED":
                await self._send("PUT", f"{path}/{row_id}/lock", {"locked": False})
                response = await self._send("DELETE", f"{path}/{row_id}")
            elif _code(response) == "BACKUP_RECORD_DELETE_FAILED" and await self._place(row_id):
                response = await self._send("DELETE", f"{path}/{row_id}")
            if response.status == 200:
                tally.removed[kind] += 1
            elif response.status != 404 and self._tables is None:
                tally.leave(kind, row_id, _code(response))

    async def _place(self, record: int) -> bool:
        """Put an empty file where a record's object should lie, below our own folder only.

        Releases before v2.4.0 keep a record whose object they do not find.
        """
        found = await self._get(f"/api/backup/records/{record}")
        target = (found or {}).get("storageTargetId")
        described = await self._get(f"/api/storage-targets/{target}") if target else None
        base = ((described or {}).get("config") or {}).get("basePath")
        path = (found or {}).get("storagePath")
        if self._scratch is None or not isinstance(base, str) or not path:
            return False
        return _touch(Path(base, str(path).lstrip("/")), self._scratch)

    def _delete_rows(self, tables: FileTables, made: Made, tally: Tally) -> None:
        known = {kind: bool(tables.columns(sql.split()[2])) for kind, sql, _ in _ROWS}
        statements = [
            (kind, sql, (row_id,))
            for kind, sql, owner in _ROWS
            if known[kind]
            for row_id in made.of(owner)
        ]
        counts = tables.write([(sql, values) for _, sql, values in statements])
        for (kind, _, _), count in zip(statements, counts, strict=True):
            tally.removed[kind] += count

    async def _list(self, path: str, key: str, prefix: str) -> list[dict[str, Any]]:
        return [
            item
            for item in await self._get(path) or []
            if isinstance(item, dict) and str(item.get(key, "")).startswith(prefix)
        ]

    async def _get(self, path: str, query: str = "") -> Any:
        return _data(await self._send("GET", path, query=query))

    async def _send(self, method: str, path: str, body: Any = None, query: str = "") -> Response:
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json",
        }
        raw = b"" if body is None else msgspec.json.encode(body)
        request = Request(method, path, headers, raw, query)
        return await self._hiccups.send(self._port, request, RealClock())


def _touch(place: Path, below: Path) -> bool:
    """Make an empty file, if that is below a folder, and a folder of this machine."""
    whole = Path(os.path.normpath(place))
    if not whole.is_relative_to(below) or not below.is_dir():
        return False
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.touch()
    except OSError:
        return False
    return True


def _data(response: Response) -> Any:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return msgspec.json.decode(response.body).get("data") if response.status == 200 else None
    return None


def _code(response: Response) -> str:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, AttributeError, TypeError):
        return str(msgspec.json.decode(response.body)["code"])
    return str(response.status)
