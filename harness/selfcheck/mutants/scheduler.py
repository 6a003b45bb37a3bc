"""Mutants of ADM: tasks that run by themselves."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "never-by-itself",
        "ADM-24",
        "A task is run by hand alone.",
        (
            "        if task.enabled and task.cron_expr:\n            schedule",
            "        if task.enabled and not task.cron_expr:\n            schedule",
        ),
    ),
    mutant(
        "once-by-itself",
        "ADM-24",
        "A task is run at the first of its times alone.",
        (
            "                entry.due_ns = entry.schedule.next_ns(own_ns, self._offset_s)\n",
            "                entry.due_ns = None\n",
        ),
    ),
    mutant(
        "old-expression-stays",
        "ADM-24",
        "A change of the expression counts when the master starts again.",
        (
            "        self.remove(task.id)\n        if task.enabled and task.cron_expr:\n",
            "        if task.id in self._entries:\n            return\n        self.remove(task.id)\n        if task.enabled and task.cron_expr:\n",
        ),
    ),
    mutant(
        "seconds-and-minutes",
        "ADM-24",
        "An expression of five fields begins with the seconds.",
        (
            '        if len(fields) == 5:\n            fields.insert(0, "0")\n',
            '        if len(fields) == 5:\n            fields.append("*")\n',
        ),
    ),
    mutant(
        "weekday-behind",
        "ADM-24",
        "Days of the week are a day late.",
        (
            "{name: number for number, name in enumerate(_WEEKDAY_NAMES)}",
            "{name: (number + 1) % 7 for number, name in enumerate(_WEEKDAY_NAMES)}",
        ),
    ),
    mutant(
        "zones-passed-over",
        "ADM-24",
        "The zone of an expression is passed over.",
        (
            "        if self.zone is not None:\n            offset_s = _offset_of(self.zone)\n",
            "        if self.zone is None:\n            pass\n",
        ),
    ),
    mutant(
        "range-without-its-end",
        "ADM-24",
        "The last of a range is left out.",
        (
            "    return range(start, end + 1, step), False\n",
            "    return range(start, max(end, start + 1), step), False\n",
        ),
    ),
    mutant(
        "schedule-runs-the-offline",
        "ADM-25",
        "The schedule runs the task of an offline node, which fails.",
        (
            "    if node is not None and presence.shown(state, node, now) != NodeStatus.ONLINE:\n        detail",
            "    if node is not None and not presence.shown(state, node, now):\n        detail",
        ),
    ),
    mutant(
        "skips-untold",
        "ADM-25",
        "Nobody is told of a task that was passed over.",
        (
            '        _note(state, task, now, "scheduled_skip", f"跳过调度触发：{detail}")\n        return\n    # here a window',
            "        return\n    # here a window",
        ),
    ),
    mutant(
        "skip-in-a-persons-name",
        "ADM-25",
        "What the scheduler does is in the audit log in nobody's name.",
        (
            '        username="system",\n        category="backup_task",\n',
            '        username="",\n        category="backup_task",\n',
        ),
    ),
    mutant(
        "disabled-runs-by-itself",
        "ADM-26",
        "A disabled task is run by the schedule.",
        (
            "        if task.enabled and task.cron_expr:\n            schedule",
            "        if task.cron_expr:\n            schedule",
        ),
    ),
    mutant(
        "switched-off-runs-on",
        "ADM-26",
        "A task that is switched off runs on until the master starts again.",
        (
            "    switched = find(state, task.id)\n    _schedule(state, switched, now)\n    return switched\n",
            "    switched = find(state, task.id)\n    if enabled:\n        _schedule(state, switched, now)\n    return switched\n",
        ),
    ),
    mutant(
        "switched-on-waits",
        "ADM-26",
        "A task that is switched on is not run before the master starts again.",
        (
            "    switched = find(state, task.id)\n    _schedule(state, switched, now)\n    return switched\n",
            "    switched = find(state, task.id)\n    if not enabled:\n        _schedule(state, switched, now)\n    return switched\n",
        ),
    ),
    mutant(
        "all-run-after-a-start",
        "ADM-26",
        "A master that starts again runs disabled tasks, too.",
        (
            "\"WHERE enabled = 1 AND cron_expr <> '' ORDER BY id\"",
            "\"WHERE cron_expr <> '' ORDER BY id\"",
        ),
        (
            "            state.timetable.sync(task, now.ns)\n        except ValueError as error:\n            log",
            '            task = type(task)(**{name: getattr(task, name) for name in task.__struct_fields__} | {"enabled": 1})\n            state.timetable.sync(task, now.ns)\n        except ValueError as error:\n            log',
        ),
    ),
    mutant(
        "nothing-runs-after-a-start",
        "ADM-24",
        "A master that starts again runs nothing by itself.",
        ("    load(state, Now.of(state.clock))\n    while True:\n", "    while True:\n"),
    ),
    mutant(
        "schedule-waits-for-the-monitor",
        "ADM-27",
        "The schedule goes by what the monitor has stored.",
        (
            "    if node is not None and presence.shown(state, node, now) != NodeStatus.ONLINE:\n        detail",
            "    if node is not None and node.status != NodeStatus.ONLINE:\n        detail",
        ),
    ),
    mutant(
        "schedule-ahead-of-the-monitor",
        "ADM-43",
        "The schedule looks at the last sign of life, too.",
        (
            "    if node is not None and presence.shown(state, node, now) != NodeStatus.ONLINE:\n        detail",
            "    if node is not None and (node.status != NodeStatus.ONLINE or presence.silent(state, node, now)):\n        detail",
        ),
    ),
    mutant(
        "schedule-without-windows",
        "ADM-44",
        "The log does not say that a window was closed.",
        (
            '        detail = f"非维护窗口 (task: {task.name}, windows: {task.maintenance_windows})"\n        _note(state, task, now, "scheduled_skip", f"跳过调度触发：{detail}")\n        return\n',
            "        return\n",
        ),
    ),
    mutant(
        "schedule-breaks-windows",
        "ADM-44",
        "The schedule runs a task outside of its windows.",
        (
            "    if not is_open(task.maintenance_windows, own_ns):\n        detail",
            "    if not task:\n        detail",
        ),
        (
            "    if not is_open(task.maintenance_windows, now.ns):\n        raise ApiError(",
            "    if not is_open(task.maintenance_windows, now.ns) and not task.cron_expr:\n        raise ApiError(",
        ),
    ),
    mutant(
        "window-of-the-first-save",
        "ADM-44",
        "A window that is changed is kept as it was.",
        (
            "    state.database.update(Task, existing.id, **columns, updated_at",
            '    columns["maintenance_windows"] = existing.maintenance_windows or columns["maintenance_windows"]\n        state.database.update(Task, existing.id, **columns, updated_at',
        ),
    ),
    mutant(
        "cron-in-local-time-at-once",
        "ADM-50",
        "Cron expressions are in local time before the release in which they are.",
        ("if config.profile.cron_in_local_time else lambda _: 0", "if config else lambda _: 0"),
    ),
    mutant(
        "cron-in-utc",
        "ADM-51",
        "Cron expressions are in UTC.",
        ("clock.offset_s if config.profile.cron_in_local_time else lambda _: 0", "lambda _: 0"),
    ),
)
