"""Mutants of DUR: what survives the death of the master."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_NEW_STATE = "        self.state = State(\n"
"""Where a master that begins has its tables, and nobody has asked it anything."""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "answers-before-commit",
        "DUR-1",
        "What a transaction wrote is committed when the next one begins.",
        (
            '        self.execute("BEGIN IMMEDIATE")\n        try:\n            yield\n            self.execute("COMMIT")\n',
            (
                "        if self._connection.in_transaction:\n"
                '            self.execute("COMMIT")\n'
                '        self.execute("BEGIN IMMEDIATE")\n        try:\n            yield\n'
            ),
        ),
    ),
    mutant(
        "start-fails-what-runs",
        "DUR-1",
        "A master that begins fails the records that are running.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE backup_records SET status = 'failed' WHERE status = 'running'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-makes-new-tokens",
        "DUR-1",
        "A master that begins gives its nodes new tokens.",
        (
            _NEW_STATE,
            (
                '        database.execute("UPDATE nodes SET token = lower(hex(randomblob(32)))")\n'
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-empties-the-queue",
        "DUR-1",
        "A master that begins drops the commands that wait.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"DELETE FROM agent_commands WHERE status = 'pending'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-puts-claims-back",
        "DUR-2",
        "A master that begins puts what was claimed back into the queue.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET status = 'pending' WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-forgets-claims",
        "DUR-2",
        "A master never times out what another life of it handed out.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET dispatched_at = NULL WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-fails-claims",
        "DUR-2",
        "A master that begins times out at once whatever is claimed.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET status = 'timeout' WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "repeated-result-refused",
        "DUR-3",
        "A result that was sent already is refused.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            '    if command.status == CommandStatus.SUCCEEDED:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    profile = state.config.profile\n    ended = replace(\n',
        ),
    ),
    mutant(
        "repeated-report-refused",
        "DUR-3",
        "A report about a record that has ended is refused.",
        (
            "    if profile.finished_records_final and record.status in FINISHED_RECORD:\n",
            '    if record.status in FINISHED_RECORD:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n    if profile.finished_records_final and record.status in FINISHED_RECORD:\n',
        ),
    ),
)
