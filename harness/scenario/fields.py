"""The fields of what can be looked at, of every release: a misspelt one would never be as said.

A field of one release alone is known here too; where it is not shown, the expectation fails and says
so. That a field nobody shows is absent can be said of any name.
"""

from typing import Final

from harness.scenario.reading import Reading
from harness.scenario.source import Mapping, Node, Scalar, Sequence
from harness.scenario.suggest import did_you_mean, nearest
from harness.scenario.verbs import MATCHERS
from master.store.schema import all_columns

_RECORD: Final = (
    *("id", "taskId", "taskName", "storageTargetId", "storageTargetName", "status", "fileName"),
    *("fileSize", "checksum", "storagePath", "storageTransferMode", "durationSeconds"),
    *("errorMessage", "startedAt", "completedAt", "locked", "backupKind", "logContent"),
    *("logEvents", "storageUploadResults"),
)
_RESTORE: Final = (
    *("id", "backupRecordId", "taskId", "taskName", "nodeId", "nodeName", "status"),
    *("errorMessage", "durationSeconds", "startedAt", "completedAt", "triggeredBy"),
    *("backupFileName", "logContent", "logEvents"),
)
_TASK: Final = (
    *("id", "name", "type", "enabled", "cronExpr", "storageTargetId", "storageTargetName"),
    *("storageTargetIds", "storageTargetNames", "nodeId", "nodeName", "nodePoolTag", "tags"),
    *("retentionDays", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly", "compression"),
    *("encrypt", "maxBackups", "backupMode", "diffFullIntervalDays", "lastRunAt", "lastStatus"),
    *("verifyEnabled", "verifyCronExpr", "verifyMode", "slaHoursRpo", "alertOnConsecutiveFails"),
    *("replicationTargetIds", "maintenanceWindows", "dependsOnTaskIds", "updatedAt"),
    *("sourcePath", "sourcePaths", "excludePatterns", "dbHost", "dbPort", "dbUser", "dbName"),
    *("dbPath", "extraConfig", "maskedFields", "createdAt"),
)
_NODE: Final = (
    *("id", "name", "hostname", "ipAddress", "status", "isLocal", "os", "arch", "agentVersion"),
    *("lastSeen", "maxConcurrent", "bandwidthLimit", "createdAt", "labels", "queue"),
    *("runningTasks", "lastError", "health"),
)
_COMMAND: Final = (
    *("id", "nodeId", "type", "status", "payload", "result", "errorMessage"),
    *("dispatchedAt", "completedAt"),
)
_ANSWER: Final = ("status", "code", "message", "data", "json", "body", "headers", "size", "sha256")
_EVENT: Final = (
    *("comment", "event", "ended", "type", "title", "body", "fields", "timestamp", "data", "id"),
    "retry",
)

_CALL: Final = (
    *("number", "op", "method", "path", "query", "headers", "sent", "body", "size", "sha256"),
    *("status", "answer", "busy", "beside"),
)
_PROCESS: Final = ("alive", "exit", "output", "arguments")
_FILE: Final = ("path", "kind", "size", "sha256", "to", "text")

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "record": _RECORD,
    "restore": _RESTORE,
    "task": _TASK,
    "agent": _NODE,
    "command": _COMMAND,
    "records": _RECORD,
    "restores": _RESTORE,
    "commands": _COMMAND,
    "answers": (*_ANSWER, "no_reply"),
    "events": _EVENT,
    "calls": _CALL,
    "process": _PROCESS,
    "file": _FILE,
    "files": _FILE,
}
"""What each subject of an `expect` has, or each of several."""

SELECTED_BY: Final[dict[str, tuple[str, ...]]] = {
    "records": ("task",),
    "restores": ("task", "agent", "record"),
    "commands": ("agent",),
    "calls": ("agent", "since"),
}
"""What of a scenario several things can be selected by: what is said of each of them."""

WIRE_SELECTORS: Final = ("id", "taskId", "nodeId", "backupRecordId")
"""The fields that select one scenario's things as well, for who has an id at hand."""

_THROUGH: Final = frozenset({"not", "one_of", "all", "any", "exactly"})
"""Matchers whose argument is about the same fields."""

_SLIP: Final = 0.8
"""How like a known field a name must be to be its slip where it is said to be absent."""


def check_fields(reading: Reading, subject: str, node: Node) -> None:
    """Note the fields that nothing of a subject has."""
    if isinstance(node, Sequence):
        for item in node.items:
            check_fields(reading, subject, item)
    if not isinstance(node, Mapping):
        return
    if len(node.entries) == 1 and node.entries[0][0].text in MATCHERS:
        key, value = node.entries[0]
        if key.text in _THROUGH:
            check_fields(reading, subject, value)
        return
    for key, value in node.entries:
        check_field(reading, subject, key, value)


def check_field(reading: Reading, subject: str, key: Scalar, value: Node) -> None:
    """Note a field that nothing of a subject has."""
    known = FIELDS[subject]
    if key.text in known or "${" in key.text:
        return
    near = nearest(key.text, known, _SLIP)
    if _said_absent(value) and near is None:
        return
    what = subject if subject in {"events", "answers"} else f"{subject.removesuffix('s')}s"
    what = "processes" if subject == "process" else what
    message = f"expected a field that {what} have in some release, got {key.text!r}"
    reading.wrong(key, message, did_you_mean(key.text, known))


def _said_absent(value: Node) -> bool:
    absent = value.get("absent") if isinstance(value, Mapping) else None
    return isinstance(absent, Scalar) and absent.value is True


def check_table(reading: Reading, table: Node | None, *columns: Node | None) -> None:
    """Note a table of the master's database that no release has, or a column of it."""
    if not isinstance(table, Scalar) or not isinstance(table.value, str):
        return
    tables = all_columns()
    if table.value not in tables:
        message = f"expected a table of the master's database, got {table.value!r}"
        reading.wrong(table, message, did_you_mean(table.value, tables))
        return
    known = tables[table.value]
    for mapping in columns:
        for key, _ in mapping.entries if isinstance(mapping, Mapping) else ():
            if key.text not in known:
                message = f"expected a column that {table.value} has in some release"
                reading.wrong(key, f"{message}, got {key.text!r}", did_you_mean(key.text, known))
