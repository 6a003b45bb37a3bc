"""When which task is to be run by its cron expression.

A task is entered as it was when it was last saved, and is run by what it said then: a row that is
changed behind the master's back is noticed when the master starts again, as with the real one.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import trio

from master.config import Clock
from master.protocol.times import NS
from master.schedule import Offset, Schedule
from master.store.rows import Task
from master.waiters import wait_until

_FINEST: Final = 1_000_000
"""The largest denominator of a second's length; times stay whole numbers."""


@dataclass(slots=True)
class Entry:
    """One task in the timetable.

    Attributes:
        task: the task as it was entered.
        schedule: its cron expression.
        due_ns: when it is due next, in the timetable's own time; `None` for never.

    """

    task: Task
    schedule: Schedule
    due_ns: int | None


class Timetable:
    """The tasks that run by themselves.

    It has a time of its own, which is the master's unless its seconds are made shorter.

    Args:
        start_ns: an instant at which both times are the same.
        second_s: how long one of its seconds lasts.
        offset_s: the zone that expressions are in.

    """

    def __init__(self, start_ns: int, second_s: float, offset_s: Offset) -> None:
        self._start_ns = start_ns
        self._second = Fraction(second_s).limit_denominator(_FINEST)
        self._offset_s = offset_s
        self._entries: dict[int, Entry] = {}
        self._changed = trio.Event()

    def sync(self, task: Task, now_ns: int) -> None:
        """Enter a task anew, or strike it out if it is off or has no cron expression.

        Raises:
            ValueError: the expression cannot be read; the task is struck out.

        """
        self.remove(task.id)
        if task.enabled and task.cron_expr:
            schedule = Schedule.read(task.cron_expr)
            due_ns = schedule.next_ns(self._own(now_ns), self._offset_s)
            self._entries[task.id] = Entry(task, schedule, due_ns)

    def remove(self, task_id: int) -> None:
        """Strike a task out."""
        self._entries.pop(task_id, None)
        self._changed.set()

    def due(self, now_ns: int) -> list[Task]:
        """Return the tasks that are due, the longest due first, each once; and move them on."""
        own_ns = self._own(now_ns)
        found = []
        for entry in self._entries.values():
            if entry.due_ns is not None and entry.due_ns <= own_ns:
                found.append((entry.due_ns, entry.task.id, entry.task))
                entry.due_ns = entry.schedule.next_ns(own_ns, self._offset_s)
        return [task for _, _, task in sorted(found, key=lambda one: one[:2])]

    async def wait(self, clock: Clock) -> None:
        """Return when a task is due, or when the timetable was changed."""
        dues = [entry.due_ns for entry in self._entries.values() if entry.due_ns is not None]
        deadline_s = math.inf
        if dues:
            begun_s = clock.monotonic_s()
            left_ns = max(self._outer(min(dues)) - clock.now_ns(), 0)
            deadline_s = max(begun_s + left_ns / NS, math.nextafter(begun_s, math.inf))
        self._changed = trio.Event()
        await wait_until(clock, self._changed, deadline_s)

    def _own(self, ns: int) -> int:
        passed = ns - self._start_ns
        return self._start_ns + passed * self._second.denominator // self._second.numerator

    def _outer(self, own_ns: int) -> int:
        """Return the first instant of the master's time that is not before one of ours."""
        passed = own_ns - self._start_ns
        return self._start_ns - (-passed * self._second.numerator // self._second.denominator)
