"""Which node a task is bound to, and when."""

from collections.abc import Iterable

from msgspec import Struct

from harness.observed.call import Call


class Binding(Struct):
    """What one call makes of a task, or may make of it.

    Attributes:
        call: which.
        node: the node's id; 0 is the master itself, or a pool.
        pool: its label, or nothing.
        scheduled: it has a cron expression.

    """

    call: Call
    node: int
    pool: str
    scheduled: bool


class Tasks:
    """The tasks of a history.

    Args:
        calls: those that make tasks and change them.

    """

    def __init__(self, calls: Iterable[Call]) -> None:
        self._bindings: dict[int, list[Binding]] = {}
        self.made: dict[int, Call] = {}
        self.unsettled = False
        for call in calls:
            if call.ok and isinstance(call.fields.get("id"), int):
                self._bind(call)
            elif call.possible and call.route.kind == "update_task":
                self._bindings.setdefault(call.route.id, []).append(Binding(call, -1, "", True))
            elif call.possible:
                self.unsettled = True

    def _bind(self, call: Call) -> None:
        task = call.fields
        if call.route.kind == "make_task":
            self.made[task["id"]] = call
        self._bindings.setdefault(task["id"], []).append(
            Binding(
                call,
                task.get("nodeId") or 0,
                task.get("nodePoolTag") or "",
                scheduled=bool(task.get("cronExpr")),
            )
        )

    def node(self, task: int, call: Call) -> int | None:
        """Return the node that a task is bound to while a call is under way, if only one can be."""
        known: int | None = None
        for binding in self._bindings.get(task, ()):
            if call.before(binding.call):
                break
            if not binding.call.before(call) or binding.pool or binding.node <= 0:
                known = None
            else:
                known = binding.node
        return known

    def ever(self, task: int) -> set[int] | None:
        """Return every node that a task was bound to; `None` when there may be others."""
        bindings = self._bindings.get(task, ())
        if task not in self.made or any(one.pool or one.node < 0 for one in bindings):
            return None
        return {one.node for one in bindings}

    def scheduled(self, task: int) -> bool:
        """Return whether a task may have run without being asked to."""
        return task not in self.made or any(one.scheduled for one in self._bindings[task])
