"""The tables of BackupX v2.0.0 (protocol facts, section 5), as data.

A column reads `name type[!] [= default] [index | unique] [-> table]`; `!` is NOT NULL.
Every table but the join table begins with an autoincrementing `id`.
Names of indexes and foreign keys follow the real master's, so that either master opens the
other's file and finds nothing to migrate.
"""

import re
from typing import Final

_TIMES = ("created_at datetime", "updated_at datetime")

_OUTCOME = (
    "status text! index",
    "error_message text",
    "log_content text",
    "duration_seconds integer! = 0",
    "started_at datetime! index",
    "completed_at datetime index",
    "triggered_by text",
    *_TIMES,
)

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "users": (
        "username text! unique",
        "password_hash text!",
        "display_name text!",
        "email text",
        'role text! = "admin"',
        "disabled numeric! = false",
        *_TIMES,
    ),
    "system_configs": ("key text! unique", "value text!", "encrypted numeric! = false", *_TIMES),
    "storage_targets": (
        "name text! unique",
        "type text! index",
        "description text",
        "enabled numeric! = true",
        "starred numeric! = false",
        "config_ciphertext text!",
        "config_version integer! = 1",
        "last_tested_at datetime",
        'last_test_status text! = "unknown"',
        "last_test_message text",
        "quota_bytes integer! = 0",
        *_TIMES,
    ),
    "nodes": (
        "name text! unique",
        "hostname text",
        "ip_address text",
        "token text! unique",
        'status text! = "offline"',
        "is_local numeric! = false",
        "os text",
        "arch text",
        "agent_version text",
        "last_seen datetime",
        "prev_token text index",
        "prev_token_expires datetime",
        "max_concurrent integer! = 0",
        "bandwidth_limit text",
        *_TIMES,
    ),
    "backup_tasks": (
        "name text! unique",
        "type text! index",
        "enabled numeric! = true",
        "cron_expr text",
        "source_path text",
        "source_paths text",
        "exclude_patterns text",
        "db_host text",
        "db_port integer",
        "db_user text",
        "db_password_ciphertext text",
        "db_name text",
        "db_path text",
        "extra_config text",
        "storage_target_id integer! index -> storage_targets",
        "node_id integer = 0 index -> nodes",
        "tags text",
        "retention_days integer! = 30",
        'compression text! = "gzip"',
        "encrypt numeric! = false",
        "max_backups integer! = 10",
        "last_run_at datetime",
        'last_status text! = "idle"',
        "verify_enabled numeric! = false",
        "verify_cron_expr text",
        'verify_mode text! = "quick"',
        "sla_hours_rpo integer! = 0",
        "alert_on_consecutive_fails integer! = 1",
        "replication_target_ids text",
        "maintenance_windows text",
        "depends_on_task_ids text",
        *_TIMES,
    ),
    "backup_records": (
        "task_id integer! index -> backup_tasks",
        "storage_target_id integer! index -> storage_targets",
        "node_id integer = 0 index",
        "status text! index",
        "file_name text",
        "file_size integer! = 0",
        "checksum text",
        "storage_path text",
        "storage_upload_results text",
        "duration_seconds integer! = 0",
        "error_message text",
        "log_content text",
        "started_at datetime! index",
        "completed_at datetime index",
        *_TIMES,
    ),
    "restore_records": (
        "backup_record_id integer! index -> backup_records",
        "task_id integer! index -> backup_tasks",
        "node_id integer = 0 index",
        *_OUTCOME,
    ),
    "agent_commands": (
        "node_id integer! index",
        "type text! index",
        'status text! = "pending" index',
        "payload text",
        "result text",
        "error_message text",
        "dispatched_at datetime",
        "completed_at datetime",
        *_TIMES,
    ),
    "agent_install_tokens": (
        "token text! unique",
        "node_id integer! index",
        "mode text!",
        "arch text!",
        "agent_ver text!",
        'download_src text! = "github"',
        "expires_at datetime! index",
        "consumed_at datetime",
        "created_by_id integer!",
        "created_at datetime",
    ),
    "api_keys": (
        "name text!",
        'role text! = "viewer"',
        "key_hash text! unique",
        "prefix text!",
        "created_by text",
        "last_used_at datetime",
        "expires_at datetime",
        "disabled numeric! = false",
        *_TIMES,
    ),
}

REQUIRED: Final = ("nodes", "agent_commands", "backup_tasks", "backup_records")
"""A file with other tables and without these is somebody else's database."""

_COLUMN = re.compile(
    r"(?P<name>\w+) (?P<type>\w+)(?P<not_null>!?)(?: = (?P<default>\S+))?"
    r"(?: (?P<index>index|unique))?(?: -> (?P<parent>\w+))?"
)

_JOIN_TABLE = (
    "CREATE TABLE `backup_task_storage_targets` (`backup_task_id` integer,"
    "`storage_target_id` integer,PRIMARY KEY (`backup_task_id`,`storage_target_id`))"
)


def statements() -> dict[str, list[str]]:
    """Return the statements that create each table with its indexes, in an order that works."""
    created = {table: _create(table, columns) for table, columns in TABLES.items()}
    created["backup_task_storage_targets"] = [_JOIN_TABLE]
    return created


def nullable(table: str) -> set[str]:
    """Return the columns of a table that may hold NULL."""
    parsed = (_parse(column) for column in TABLES[table])
    return {column["name"] for column in parsed if not column["not_null"]}


def _parse(column: str) -> re.Match[str]:
    match = _COLUMN.fullmatch(column)
    assert match is not None, column
    return match


def _create(table: str, columns: tuple[str, ...]) -> list[str]:
    parts = ["`id` integer PRIMARY KEY AUTOINCREMENT"]
    constraints = []
    indexes = []
    for column in map(_parse, columns):
        name = column["name"]
        not_null = " NOT NULL" if column["not_null"] else ""
        default = f" DEFAULT {column['default']}" if column["default"] else ""
        parts.append(f"`{name}` {column['type']}{not_null}{default}")
        if column["index"]:
            unique = "UNIQUE " if column["index"] == "unique" else ""
            indexes.append(f"CREATE {unique}INDEX `idx_{table}_{name}` ON `{table}`(`{name}`)")
        if column["parent"]:
            relation = name.removesuffix("_id")
            constraints.append(
                f"CONSTRAINT `fk_{table}_{relation}` FOREIGN KEY (`{name}`)"
                f" REFERENCES `{column['parent']}`(`id`)"
            )
    return [f"CREATE TABLE `{table}` ({','.join(parts + constraints)})", *indexes]
