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
        "anybodys-command",
        "RES-6",
        "A result counts whoever sends it.",
        ('        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n', "        pass\n"),
    ),
)
