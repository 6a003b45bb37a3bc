"""Commands: who enqueued them, and which poll handed them out.

An enqueue is known by what asked for it, a claim by the answer of its poll. They are matched by what
the payload says: the record, the restore, or the path; of equal ones the oldest first.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs

from msgspec import Struct

from harness.observed.call import NEVER, Call
from harness.observed.nodes import Nodes
from harness.observed.tasks import Tasks

_LISTED: Final = frozenset({"NODE_FS_READ_ERROR", "AGENT_COMMAND_TIMEOUT", "AGENT_RESULT_INVALID"})
_DISCOVERED: Final = frozenset(
    {"DATABASE_DISCOVER_FAILED", "AGENT_COMMAND_TIMEOUT", "AGENT_RESULT_INVALID"}
)
"""Refusals of a call whose command was enqueued all the same."""


class Enqueue(Struct):
    """A command that was asked for.

    Attributes:
        call: what asked for it.
        kind: the type of the command.
        node: whose it is; `None` where that cannot be told.
        what: what tells it from others of its type; `None` where its answer did not come.
        sure: it was certainly enqueued, before the call was over.
        claim: the poll's answer that handed it out.

    """

    call: Call
    kind: str
    node: int | None
    what: Any
    sure: bool
    claim: "Claim | None" = None

    @property
    def ended_s(self) -> float:
        """Return by when it was certainly enqueued."""
        return self.call.ended_s if self.sure else NEVER


class Claim(Struct):
    """A command that a poll was answered.

    Attributes:
        call: the poll.
        id: of the command.
        kind: its type.
        payload: what it says.
        what: what tells it from others of its type.
        node: who polled, as far as that is known.
        enqueue: what asked for it.
        alone: nothing else was asked for that it could be.

    """

    call: Call
    id: int
    kind: str
    payload: dict[str, Any]
    what: Any
    node: int | None
    enqueue: Enqueue | None = None
    alone: bool = False


class Queue:
    """The commands of a history.

    Args:
        by_kind: the calls by what they ask for.
        nodes: who is who.
        tasks: which task is whose.
        follows_record: a restore goes to the node that made the backup.
        stale_s: the age at which a command that nobody took is given up.

    Attributes:
        enqueues: in the order in which they were asked for.
        claims: in the order of their polls.
        by_id: every claim of each command.
        by_record: the claim of each run's and restore's record, by type and record.

    """

    def __init__(
        self,
        by_kind: dict[str, list[Call]],
        nodes: Nodes,
        tasks: Tasks,
        *,
        follows_record: bool,
        stale_s: float = NEVER,
    ) -> None:
        self._nodes = nodes
        self._tasks = tasks
        self._follows_record = follows_record
        self._stale_s = stale_s
        self.claims = list(_claims(by_kind.get("poll", []), nodes))
        self.by_id: dict[int, list[Claim]] = {}
        self.by_record: dict[tuple[str, Any], Claim] = {}
        for claim in self.claims:
            self.by_id.setdefault(claim.id, []).append(claim)
            if claim.kind in ("run_task", "restore_record"):
                self.by_record.setdefault((claim.kind, claim.what), claim)
        self._runs: dict[int, Enqueue] = {}
        self._restores: dict[int, Enqueue] = {}
        self.enqueues = [
            one
            for call in _asking(by_kind)
            if (one := self._enqueue(call)) is not None
            and (one.node is None or one.node != nodes.own)
        ]
        self._match()
        self._of_node: dict[int, list[Enqueue]] = {}
        for enqueue in self.enqueues:
            if enqueue.node is not None and enqueue.sure:
                self._of_node.setdefault(enqueue.node, []).append(enqueue)
        self._claims_of: dict[int, list[Claim]] = {}
        for claim in self.claims:
            if claim.node is not None:
                self._claims_of.setdefault(claim.node, []).append(claim)

    def sure(self, node: int) -> list[Enqueue]:
        """Return what was certainly enqueued for a node, in the order of the calls."""
        return self._of_node.get(node, [])

    def claims_of(self, node: int) -> list[Claim]:
        """Return what the polls of a node were answered, in the order of the polls."""
        return self._claims_of.get(node, [])

    def _enqueue(self, call: Call) -> Enqueue | None:
        match call.route.kind:
            case "run" if call.possible:
                node = self._tasks.node(call.route.id, call)
                record = call.fields.get("id") if call.ok else None
                one = Enqueue(call, "run_task", node, record, call.ok and node is not None)
                if record is not None:
                    self._runs[record] = one
                return one
            case "restore" if call.possible:
                made = call.fields.get("id") if call.ok else None
                node = self._restorer(call)
                one = Enqueue(call, "restore_record", node, made, call.ok and node is not None)
                if made is not None:
                    self._restores[made] = one
                return one
            case "list_dir" if call.possible or call.code in _LISTED:
                node = call.route.id
                what = _path(call.route.query)
                return Enqueue(call, "list_dir", node, what, call.ok or call.code in _LISTED)
            case "discover" if call.possible or call.code in _DISCOVERED:
                node = call.said("nodeId")
                if not isinstance(node, int) or node not in self._nodes.made:
                    return None
                sure = call.ok or call.code in _DISCOVERED
                return Enqueue(call, "discover_db", node, call.said("host"), sure)
            case _:
                return None

    def _restorer(self, call: Call) -> int | None:
        """Return the node that is to restore a record, as far as that can be told."""
        run = self._runs.get(call.route.id)
        if not self._follows_record:
            task = call.fields.get("taskId")
            return self._tasks.node(task, call) if isinstance(task, int) else None
        claim = self.by_record.get(("run_task", call.route.id))
        if claim is not None:
            return claim.node
        return run.node if run is not None else None

    def _match(self) -> None:
        """Give every claim the oldest enqueue that fits, of its own node where there is one.

        Of equal ones, those that were certainly made come first, and those that were not too old
        to be handed out: so nothing is taken for lost that need not be.
        """
        fitting: dict[tuple[str, Any], list[Enqueue]] = {}
        for enqueue in self.enqueues:
            if enqueue.what is not None:
                fitting.setdefault((enqueue.kind, enqueue.what), []).append(enqueue)
        shared = {key for key, among in fitting.items() if len(among) > 1}
        for claim in self.claims:
            among = fitting.get((claim.kind, claim.what), [])
            before = [one for one in among if one.call.index < claim.call.end]
            if before:
                enqueue = min(before, key=lambda one: self._fit(one, claim))
                enqueue.claim, claim.enqueue = claim, enqueue
                claim.alone = (claim.kind, claim.what) not in shared
                among.remove(enqueue)

    def _fit(self, enqueue: Enqueue, claim: Claim) -> tuple[bool, bool, bool, int]:
        age_s = claim.call.began_s - enqueue.call.began_s
        call = enqueue.call
        return enqueue.node != claim.node, not enqueue.sure, age_s >= self._stale_s, call.index

    def of_record(self, kind: str, record: int) -> Enqueue | None:
        """Return what asked for the record of a backup or a restore, where that is known."""
        return (self._runs if kind == "backup" else self._restores).get(record)

    def claim_of(self, kind: str, record: int) -> Claim | None:
        """Return the first claim of the command about a record of a backup or a restore."""
        return self.by_record.get(("run_task" if kind == "backup" else "restore_record", record))

    def first_about_its_record(self, claim: Claim) -> Claim | None:
        """Return the claim of another command before it for the same record, if there is one.

        A record is made with its command: whoever asks again gets a new record.
        """
        first = self.by_record.get((claim.kind, claim.what)) if claim.what is not None else None
        return None if first is None or first.id == claim.id else first

    def owner(self, kind: str, record: int) -> int | None:
        """Return the node whose work a record is, as far as that is known."""
        claim = self.claim_of(kind, record)
        if claim is not None:
            return claim.node
        enqueue = self.of_record(kind, record)
        return enqueue.node if enqueue is not None else None

    def may_be(self, claim: Claim) -> bool:
        """Return whether a claim may come from an enqueue whose answer says too little of it."""
        if claim.kind == "delete_storage_object":
            return True  # many things delete; which of them through an agent, answers do not say
        task = claim.payload.get("taskId")
        if claim.kind == "run_task" and (
            self._tasks.unsettled or not isinstance(task, int) or self._tasks.scheduled(task)
        ):
            return True
        return any(
            not one.sure
            and one.claim is None
            and one.kind == claim.kind
            and one.call.index < claim.call.end
            and (claim.kind != "run_task" or one.call.route.id == task)
            for one in self.enqueues
        )


def _claims(polls: list[Call], nodes: Nodes) -> Iterator[Claim]:
    for call in polls:
        if not call.ok:
            continue
        command = call.fields.get("command")
        if not isinstance(command, dict) or not isinstance(command.get("id"), int):
            continue
        payload = command.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        kind = str(command.get("type"))
        yield Claim(call, command["id"], kind, payload, _what(kind, payload), nodes.who(call))


def _what(kind: str, payload: dict[str, Any]) -> Any:
    """Return what tells a command from others of its type."""
    key = {
        "run_task": "recordId",
        "restore_record": "restoreRecordId",
        "list_dir": "path",
        "discover_db": "host",
        "delete_storage_object": "storagePath",
    }.get(kind)
    value = payload.get(key) if key else None
    return value if isinstance(value, int | str) else None


def _path(query: str) -> str:
    values = parse_qs(query, keep_blank_values=True).get("path", [""])
    return values[0] if values[0].strip() else "/"


def _asking(by_kind: dict[str, list[Call]]) -> list[Call]:
    """Return the calls that may enqueue a command, in their order."""
    kinds = ("run", "restore", "list_dir", "discover")
    return sorted(
        (one for kind in kinds for one in by_kind.get(kind, [])), key=lambda one: one.index
    )
