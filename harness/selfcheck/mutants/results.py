"""Mutants of RES: results of commands."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "result-without-end",
        "RES-1",
        "A command that ends has no end time.",
        (
            'result = ?, payload = ?,"\n    " completed_at = ?,',
            'result = ?, payload = ?,"\n    " result = COALESCE(result, ?),',
        ),
    ),
    mutant(
        "failure-is-success",
        "RES-1",
        "Every result makes its command a success.",
        (
            "CommandStatus.SUCCEEDED if result.success else CommandStatus.FAILED",
            "CommandStatus.SUCCEEDED",
        ),
    ),
    mutant(
        "error-not-kept",
        "RES-1",
        "The error of a result is not stored.",
        ("        error_message=result.errorMessage,\n", '        error_message="",\n'),
    ),
    mutant(
        "result-ends-all",
        "RES-1",
        "A result ends every command of its node that is dispatched.",
        (
            "        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n",
            "        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n        state.database.execute(\"UPDATE agent_commands SET status = ? WHERE status = 'dispatched' AND node_id = ?\", (ended.status, node.id))\n",
        ),
    ),
    mutant(
        "late-result-ignored",
        "RES-2",
        "A result after the timeout is ignored.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            "    if command.status == CommandStatus.TIMEOUT:\n        return\n    profile = state.config.profile\n    ended = replace(\n",
        ),
    ),
    mutant(
        "late-result-refused",
        "RES-2",
        "A result after the timeout is refused.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            '    if command.status == CommandStatus.TIMEOUT:\n        raise ApiError("AGENT_COMMAND_TIMEOUT")\n    profile = state.config.profile\n    ended = replace(\n',
        ),
    ),
    mutant(
        "result-before-claim-ignored",
        "RES-3",
        "A result for a command that nobody claimed is ignored.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            "    if command.status == CommandStatus.PENDING:\n        return\n    profile = state.config.profile\n    ended = replace(\n",
        ),
    ),
    mutant(
        "first-result-counts",
        "RES-4",
        "A second result is ignored.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            "    if command.status in (CommandStatus.SUCCEEDED, CommandStatus.FAILED):\n        return\n    profile = state.config.profile\n    ended = replace(\n",
        ),
    ),
    mutant(
        "second-result-clears",
        "RES-4",
        "A second result without a result of its own clears the first's.",
        ("bytes(result.result).decode() or command.result", "bytes(result.result).decode()"),
    ),
    mutant(
        "success-stays",
        "RES-4",
        "A command that succeeded cannot fail any more.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            "    if command.status == CommandStatus.SUCCEEDED and not result.success:\n        return\n    profile = state.config.profile\n    ended = replace(\n",
        ),
    ),
    mutant(
        "result-for-nothing",
        "RES-5",
        "A result for an unknown command is answered 200.",
        (
            '    if command is None:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    if command.node_id',
            "    if command is None:\n        return\n    if command.node_id",
        ),
    ),
    mutant(
        "unknown-command-is-forbidden",
        "RES-5",
        "A result for an unknown command is answered as one for another node's.",
        (
            '    if command is None:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    if command.node_id',
            '    if command is None:\n        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n    if command.node_id',
        ),
    ),
    mutant(
        "anybodys-command",
        "RES-6",
        "A result counts whoever sends it.",
        ('        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n', "        pass\n"),
    ),
    mutant(
        "refused-but-applied",
        "RES-6",
        "A result for another node's command is refused, and counts.",
        (
            '        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n',
            '        state.database.update(Command, command.id, status="failed", error_message=result.errorMessage)\n        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "another-nodes-is-unknown",
        "RES-6",
        "Another node's command is answered as an unknown one.",
        (
            '        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n',
            '        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n',
        ),
    ),
    mutant(
        "result-ends-the-record",
        "RES-7",
        "The result of a run ends its backup record.",
        (
            "        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n",
            "        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n        if result.success:\n            state.database.execute(\"UPDATE backup_records SET status = 'success' WHERE id = (SELECT json_extract(payload, '$.recordId') FROM agent_commands WHERE id = ?)\", (command.id,))\n",
        ),
    ),
    mutant(
        "failure-fails-the-record",
        "RES-7",
        "A failed run fails its backup record.",
        (
            "        if counted and profile.ends_agree:\n",
            "        if counted and not result.success:\n",
        ),
    ),
    mutant(
        "result-marks-the-task",
        "RES-7",
        "The result of a run becomes its task's last status.",
        (
            "        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n",
            '        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)\n        state.database.execute("UPDATE backup_tasks SET last_status = ? WHERE id = (SELECT json_extract(payload, \'$.taskId\') FROM agent_commands WHERE id = ?)", ("success" if result.success else "failed", command.id))\n',
        ),
    ),
    mutant(
        "ended-ends-again",
        "RES-8",
        "A result counts in whatever state it finds its command.",
        ("        guarded = profile.result_needs_dispatched\n", "        guarded = False\n"),
    ),
    mutant(
        "only-timeouts-are-final",
        "RES-8",
        "A second result overwrites the first; a timeout stays.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status NOT IN ('pending', 'timeout')\"",
        ),
    ),
    mutant(
        "only-answers-are-final",
        "RES-8",
        "A result after the timeout counts.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status IN ('dispatched', 'timeout')\"",
        ),
    ),
    mutant(
        "late-text-is-kept",
        "RES-8",
        "A result that comes too late leaves its text in the command.",
        (
            "    if counted:\n        state.waiters.notify(command.id)\n",
            "    if not counted and command.status != CommandStatus.PENDING and result.result:\n        state.database.update(Command, command.id, result=ended.result)\n    if counted:\n        state.waiters.notify(command.id)\n",
        ),
    ),
    mutant(
        "waiting-ends",
        "RES-9",
        "A result ends a command that waits.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status IN ('dispatched', 'pending')\"",
        ),
    ),
    mutant(
        "early-result-claims",
        "RES-9",
        "A result for a command that waits takes it out of the queue.",
        (
            "    if counted:\n        state.waiters.notify(command.id)\n",
            "    if not counted:\n        state.database.execute(\"UPDATE agent_commands SET status = 'dispatched' WHERE id = ? AND status = 'pending'\", (command.id,))\n    if counted:\n        state.waiters.notify(command.id)\n",
        ),
    ),
    mutant(
        "late-is-told-before-strict",
        "RES-10",
        "A result that comes too early or too late is answered 409.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif ended != command:\n",
        ),
    ),
    mutant(
        "early-is-told-before-strict",
        "RES-10",
        "A result that comes too early is answered 409.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif (profile.late_results_told or command.status == CommandStatus.PENDING) and ended != command:\n",
        ),
    ),
    mutant(
        "late-is-not-told",
        "RES-11",
        "A result that comes too late is answered 200.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told and command.status == CommandStatus.PENDING:\n",
        ),
    ),
    mutant(
        "late-by-its-status",
        "RES-11",
        "Of a result that comes too late only success or failure is compared with what is known.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told and ended.status != command.status:\n",
        ),
    ),
    mutant(
        "timeout-is-not-told",
        "RES-11",
        "A result after the timeout is answered 200.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told and ended != command and command.status != CommandStatus.TIMEOUT:\n",
        ),
    ),
    mutant(
        "repetition-is-told",
        "RES-12",
        "A result that repeats what is known is answered 409.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told:\n",
        ),
    ),
    mutant(
        "repetition-needs-its-result",
        "RES-12",
        "A result that repeats a success, and leaves its text out, is answered 409.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told and replace(ended, result=bytes(result.result).decode()) != command:\n",
        ),
    ),
    mutant(
        "early-is-told-it-is-late",
        "RES-13",
        "A result for a command that nobody took is answered like one that comes too late.",
        (
            'raise ApiError("AGENT_COMMAND_NOT_CLAIMED" if pending else "AGENT_COMMAND_FINISHED")',
            'raise ApiError("AGENT_COMMAND_FINISHED" if pending else "AGENT_COMMAND_FINISHED")',
        ),
    ),
    mutant(
        "early-is-not-told",
        "RES-13",
        "A result for a command that nobody took is answered 200.",
        (
            "    elif profile.late_results_told and ended != command:\n",
            "    elif profile.late_results_told and ended != command and command.status != CommandStatus.PENDING:\n",
        ),
    ),
    mutant(
        "ends-leave-records",
        "RES-14",
        "A result leaves the record of its command running.",
        (
            "        if counted and profile.ends_agree:\n",
            "        if counted and not profile.ends_agree:\n",
        ),
    ),
    mutant(
        "success-leaves-its-record",
        "RES-14",
        "A successful result leaves the record of its command running.",
        (
            "        if counted and profile.ends_agree:\n",
            "        if counted and profile.ends_agree and not result.success:\n",
        ),
    ),
    mutant(
        "ends-leave-restores",
        "RES-14",
        "A result leaves the restore of its command running.",
        (
            "        if counted and profile.ends_agree:\n",
            "        if counted and profile.ends_agree and command.type == 'run_task':\n",
        ),
    ),
    mutant(
        "ends-without-its-error",
        "RES-14",
        "A record that a result fails does not say what its agent said.",
        (
            "links.fail(state, command, result.errorMessage or LEFT_RUNNING_MESSAGE, now)",
            "links.fail(state, command, LEFT_RUNNING_MESSAGE, now)",
        ),
    ),
    mutant(
        "ends-leave-tasks",
        "RES-14",
        "A backup that a result fails leaves its task running.",
        (
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task:\n",
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task and message.startswith('Agent '):\n",
        ),
    ),
    mutant(
        "first-status-last-error",
        "RES-15",
        "Of several results the first decides the status, and the last the rest.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            '_FINISH_DISPATCHED = _FINISH.replace("status = ?", "status = CASE status WHEN \'dispatched\' THEN ? ELSE status END", 1)',
        ),
    ),
    mutant(
        "results-read-first",
        "RES-15",
        "Of several results the last counts, and keeps what an earlier one brought.",
        ("        guarded = profile.result_needs_dispatched\n", "        guarded = False\n"),
        profile="2.4",
    ),
    mutant(
        "repetition-ends-again",
        "RES-16",
        "A repeated result ends its command again.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status IN ('dispatched', ?1)\"",
        ),
    ),
    mutant(
        "errors-of-failures-alone",
        "RES-1",
        "What a successful result says of errors is dropped.",
        (
            "        error_message=result.errorMessage,\n",
            '        error_message="" if result.success else result.errorMessage,\n',
        ),
    ),
    mutant(
        "errors-are-cut",
        "RES-1",
        "The error of a result is cut after 255 characters.",
        (
            "        error_message=result.errorMessage,\n",
            "        error_message=result.errorMessage[:255],\n",
        ),
    ),
    mutant(
        "timeout-brings-a-result",
        "TMO-6",
        "A command that times out has `null` for its result.",
        (
            "SET status = 'timeout', error_message = ?, payload = ?,\"",
            "SET status = 'timeout', error_message = ?, result = 'null', payload = ?,\"",
        ),
    ),
)
