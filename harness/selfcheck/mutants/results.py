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
)
