"""Mutants of TMO: what happens to commands that nobody reports about."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "never-times-out",
        "TMO-1",
        "No command is ever found stale.",
        ("AND dispatched_at < ? ORDER BY id", "AND dispatched_at < ? AND 0 ORDER BY id"),
    ),
    mutant(
        "timed-out-without-an-error",
        "TMO-1",
        "A command times out without a word in its error.",
        ("error_message=TIMEOUT_MESSAGE,", 'error_message="",'),
    ),
    mutant(
        "times-out-from-creation",
        "TMO-2",
        "The timeout counts from when a command was enqueued.",
        ("AND dispatched_at < ? ORDER BY id", "AND created_at < ? ORDER BY id"),
    ),
    mutant(
        "times-out-at-the-timeout",
        "TMO-2",
        "A command exactly as old as the timeout is stale.",
        ("AND dispatched_at < ? ORDER BY id", "AND dispatched_at <= ? ORDER BY id"),
    ),
    mutant(
        "backup-stays-running",
        "TMO-3",
        "A timed out run leaves its backup record running.",
        ("    CommandType.RUN_TASK.value: (bind_backup_link, Record),\n", ""),
    ),
    mutant(
        "failed-without-end",
        "TMO-3",
        "A record that is failed by the master has no end time.",
        (
            "        completed_at=now.utc,\n        duration_seconds=took_s,\n",
            "        duration_seconds=took_s,\n",
        ),
    ),
    mutant(
        "restore-stays-running",
        "TMO-4",
        "A timed out restore leaves its restore record running.",
        ("    CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore),\n", ""),
    ),
    mutant(
        "overwrites-finished-record",
        "TMO-5",
        "A timeout fails its record, finished or not.",
        (
            "    if record is None or record.status != RecordStatus.RUNNING:\n",
            "    if record is None:\n",
        ),
    ),
    mutant(
        "one-trouble-stops-all",
        "TMO-8",
        "The first stale command that cannot be timed out ends the scan.",
        (
            "    except ValueError:\n        return False\n    database.update(",
            "    except ZeroDivisionError:\n        return False\n    database.update(",
        ),
        (
            'log.warning("command %d cannot be timed out: %s", command.id, error, exc_info=True)\n',
            "raise\n",
        ),
    ),
)
