"""Looking at the master's state.

Records, restores, tasks and nodes are read through the admin API, commands from the database.
"""

from dataclasses import replace
from typing import Any

import msgspec

from harness.disk import Disk
from harness.expect import Mismatch, matches, show
from harness.feed import Feeds
from harness.heard import Heard, far_apart, in_order
from harness.population import Population
from harness.scenario.verbs import LISTS, SUBJECTS
from harness.scope import Scope
from harness.world import Admin, AdminError, World

_PATHS = {
    "record": "/api/backup/records",
    "restore": "/api/restore/records",
    "task": "/api/backup/tasks",
    "agent": "/api/nodes",
}
_LISTS = {"records": "/api/backup/records", "restores": "/api/restore/records"}
_FILTERS = {"task": "taskId", "agent": "nodeId", "record": "backupRecordId"}

_COMMANDS = (
    "SELECT id, node_id, type, status, payload, result, error_message, dispatched_at, completed_at"
    " FROM agent_commands"
)


class Eyes:
    """Fetches what an expectation is about, and compares.

    Args:
        world: its database, where it has one.
        admin: reads through the admin API.
        answers: the answers of calls, by name.
        feeds: the event streams.
        population: the agents, whose processes can be looked at.

    """

    def __init__(
        self,
        world: World,
        admin: Admin,
        answers: dict[str, list[dict[str, Any]]],
        feeds: Feeds,
        population: Population,
    ) -> None:
        self._feeds = feeds
        self._population = population
        self._disk = Disk(world.scratch)
        self._world = world
        self._admin = admin
        self._answers = answers

    async def look(self, scope: Scope, expect: dict[str, Any]) -> Mismatch | None:
        """Return how the subject of an `expect` differs from what is said, or `None`."""
        (subject,) = (key for key in expect if key in SUBJECTS)
        fields = scope.fill({key: item for key, item in expect.items() if key != subject})
        if subject in LISTS:
            items = await self._list(subject, expect[subject], scope)
            if "where" in fields:
                wanted = fields.pop("where")
                items = [item for item in items if matches(wanted, item) is None]
            seen: Any = {"count": len(items), "items": items}
            for name in ("all", "any"):
                if name in fields:
                    mismatch = matches({name: fields.pop(name)}, items, subject)
                    if mismatch is not None:
                        return mismatch
            mismatch = in_order(fields.pop("in_order", ()), items, subject)
            if mismatch is None and "every" in fields:
                mismatch = far_apart(items, fields.pop("every"), self._world.slack_s)
            return mismatch or matches(fields, seen, subject)
        seen = await self._one(subject, expect[subject], scope)
        exists = fields.pop("exists", True)
        if (seen is not None) != exists:
            return Mismatch(
                subject,
                "to be there" if exists else "not to be there",
                "it is" if seen else "it is not",
            )
        return _explained(matches(fields, seen, subject), seen, subject) if exists else None

    async def _one(self, subject: str, which: Any, scope: Scope) -> Any:
        if subject == "process":
            return self._population.process(which)
        if subject == "file":
            return self._disk.file(str(scope.fill(which)))
        row_id = scope.identify(which)
        if subject == "command":
            rows = self._commands(" WHERE id = ?", row_id)
            return rows[0] if rows else None
        response = await self._admin.send("GET", f"{_PATHS[subject]}/{row_id}")
        if response.status == 404:
            return None
        if response.status != 200:
            raise AdminError(f"reading a {subject} was answered {response.status}")
        return msgspec.json.decode(response.body)["data"]

    async def _list(self, subject: str, which: Any, scope: Scope) -> list[Any]:
        if subject == "answers":
            return self._answers.get(which, [])
        if subject == "events":
            return self._feeds.items(which)
        if subject == "files":
            return self._disk.files(str(scope.fill(which)))
        if subject == "calls":
            return self._calls(which, scope)
        wanted = {
            _FILTERS.get(key, key): scope.identify(value) if key in _FILTERS else scope.fill(value)
            for key, value in (which or {}).items()
        }
        if subject == "commands":
            items: list[Any] = self._commands(" ORDER BY id")
        else:
            query = "&".join(f"{key}={wanted[key]}" for key in ("taskId",) if key in wanted)
            items = await self._admin.data("GET", _LISTS[subject], query=query)
        return [item for item in items if matches(wanted, item) is None]

    def _calls(self, which: dict[str, Any], scope: Scope) -> list[dict[str, Any]]:
        """Return the calls of an agent that are as said, from a moment on."""
        wanted = dict(which)
        agent = str(scope.fill(wanted.pop("agent")))
        since = scope.look_up(wanted.pop("since")) if "since" in wanted else 0
        wanted = scope.fill(wanted)
        calls = Heard(self._world.history, agent).calls
        return [one for one in calls if one["index"] >= since and matches(wanted, one) is None]

    def _commands(self, rest: str, *values: Any) -> list[dict[str, Any]]:
        assert self._world.tables is not None  # such a scenario is skipped without a database
        found = self._world.tables.execute(_COMMANDS + rest, values)
        for row in found:
            self._world.history.redactor.learn_from(_parsed(row[4]))
            self._world.history.redactor.learn_from(_parsed(row[5]))
        return [
            {
                "id": row[0],
                "nodeId": row[1],
                "type": row[2],
                "status": row[3],
                "payload": _parsed(row[4]),
                "result": _parsed(row[5]),
                "errorMessage": row[6],
                "dispatchedAt": row[7],
                "completedAt": row[8],
            }
            for row in found
        ]


def _explained(mismatch: Mismatch | None, seen: Any, subject: str) -> Mismatch | None:
    """Return a mismatch of a status with the error that stands beside it: that is what went wrong."""
    if mismatch is None or mismatch.where != f"{subject}.status" or not seen.get("errorMessage"):
        return mismatch
    return replace(mismatch, seen=f"{mismatch.seen}, errorMessage {show(seen['errorMessage'])}")


def _parsed(text: str | None) -> Any:
    """Return a column's JSON as a value, and any other text as it is."""
    try:
        return msgspec.json.decode(text or "")
    except msgspec.DecodeError:
        return text
