"""The tables of BackupX (protocol facts, section 5), as data.

A column reads `name type[!] [= default] [index | unique] [-> table] [since release]`; `!` is NOT
NULL. One that names no release is v2.0.0's.
Every table but the join table begins with an autoincrementing `id`.
Names of indexes and foreign keys follow the real master's, so that either master opens the
other's file of the same release and finds nothing to migrate.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

_TIMES = ("created_at datetime", "updated_at datetime")

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "users": (
        "username text! unique",
        "password_hash text!",
        "display_name text!",
        "email text",
        "phone text since v2.3.0",
        'role text! = "admin"',
        "two_factor_enabled numeric! = false since v2.3.0",
        "two_factor_secret_ciphertext text since v2.3.0",
        "two_factor_recovery_code_hashes text since v2.3.0",
        "webauthn_credentials text since v2.3.0",
        "webauthn_challenge_ciphertext text since v2.3.0",
        "trusted_devices text since v2.3.0",
        "email_otp_enabled numeric! = false since v2.3.0",
        "sms_otp_enabled numeric! = false since v2.3.0",
        "out_of_band_otp_ciphertext text since v2.3.0",
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
        "labels text since v2.2.0",
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
        "node_pool_tag text index since v2.2.0",
        "tags text",
        "retention_days integer! = 30",
        'compression text! = "gzip"',
        "encrypt numeric! = false",
        "max_backups integer! = 10",
        'backup_mode text! = "full" since v2.4.0',
        "diff_full_interval_days integer! = 7 since v2.4.0",
        "keep_daily integer! = 0 since v2.4.0",
        "keep_weekly integer! = 0 since v2.4.0",
        "keep_monthly integer! = 0 since v2.4.0",
        "keep_yearly integer! = 0 since v2.4.0",
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
        "storage_transfer_mode text since v2.4.0",
        "storage_upload_results text",
        "duration_seconds integer! = 0",
        "locked numeric! = false index since v2.4.0",
        'backup_kind text! = "full" index since v2.4.0',
        "base_record_id integer! = 0 index since v2.4.0",
        "manifest text since v2.4.0",
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
        "target_path text since v2.4.0",
        "status text! index",
        "error_message text",
        "log_content text",
        "duration_seconds integer! = 0",
        "started_at datetime! index",
        "completed_at datetime index",
        "triggered_by text",
        *_TIMES,
    ),
    "agent_commands": (
        "node_id integer!",
        "type text! index",
        'status text! = "pending"',
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
        "agent_master_url text since v2.4.0",
        "proxy_url text since v2.4.0",
        "ca_cert_file text since v2.4.0",
        "expires_at datetime! index",
        "consumed_at datetime",
        "created_by_id integer!",
        "created_at datetime",
    ),
    "audit_logs": (
        "user_id integer index",
        "username text!",
        "category text! index",
        "action text!",
        "target_type text",
        "target_id text",
        "target_name text",
        "detail text",
        "client_ip text",
        "created_at datetime index",
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

INDEXES: Final[dict[str, tuple[str, ...]]] = {
    "agent_commands": (
        "node_id (node_id) before v2.4.0",
        "status (status) before v2.4.0",
        "node_status (node_id,status) since v2.4.0",
        "status_dispatched (status,dispatched_at) since v2.4.0",
        "status_created (status,created_at) since v2.4.0",
    ),
}
"""The indexes that a column's own line cannot say: `name (columns) since or before a release`."""

REQUIRED: Final = ("nodes", "agent_commands", "backup_tasks", "backup_records")
"""A file with other tables and without these is somebody else's database."""

NEWEST: Final = "v2.4.0"

_COLUMN: Final = re.compile(
    r"(?P<name>\w+) (?P<type>\w+)(?P<not_null>!?)(?: = (?P<default>\S+))?"
    r"(?: (?P<index>index|unique))?(?: -> (?P<parent>\w+))?(?: since (?P<since>\S+))?"
)
_INDEX: Final = re.compile(
    r"(?P<name>\w+) \((?P<columns>[\w,]+)\) (?P<when>since|before) (?P<release>\S+)"
)

_JOIN_TABLE: Final = "backup_task_storage_targets"
_CREATE_JOIN_TABLE: Final = (
    f"CREATE TABLE `{_JOIN_TABLE}` (`backup_task_id` integer,"
    "`storage_target_id` integer,PRIMARY KEY (`backup_task_id`,`storage_target_id`))"
)


def all_columns() -> dict[str, tuple[str, ...]]:
    """Return every table that some release has, with the columns that some release has of it."""
    tables = {
        table: ("id", *(column.partition(" ")[0] for column in columns))
        for table, columns in TABLES.items()
    }
    return {**tables, _JOIN_TABLE: ("backup_task_id", "storage_target_id")}


@dataclass(frozen=True, slots=True)
class Table:
    """One table as one release has it, in SQL.

    Attributes:
        name: its name.
        create: the statement that makes it.
        columns: each column's definition by its name, but for the id's.
        indexes: the statement that makes each index, by its name.
        names: of its columns, with the id.

    """

    name: str
    create: str
    columns: dict[str, str]
    indexes: dict[str, str]
    names: frozenset[str]

    def missing(self, columns: Collection[str], indexes: Collection[str]) -> list[str]:
        """Return what gives a table with these columns and indexes all that the release has."""
        added = [
            f"ALTER TABLE `{self.name}` ADD {definition}"
            for name, definition in self.columns.items()
            if name not in columns
        ]
        return added + [made for name, made in self.indexes.items() if name not in indexes]


@cache
def tables(release: str) -> dict[str, Table]:
    """Return the tables of a release such as "v2.4.0" by name, in an order that works."""
    made = {name: _table(name, release) for name in TABLES}
    made[_JOIN_TABLE] = Table(_JOIN_TABLE, _CREATE_JOIN_TABLE, {}, {}, frozenset())
    return made


@cache
def expressions(table: str) -> dict[str, tuple[str, str]]:
    """Return for each column what reads it, and what stands for it in a file that lacks it.

    Text and numbers that may be NULL read as "" and 0, as the real master reads them.
    """
    return {
        column["name"]: (_read(column), _default(column)) for column in map(_parse, TABLES[table])
    }


def _read(column: re.Match[str]) -> str:
    zero = _ZERO.get(column["type"])
    nullable = not column["not_null"] and zero is not None
    return f"COALESCE({column['name']}, {zero})" if nullable else column["name"]


_ZERO: Final = {"text": "''", "integer": "0", "numeric": "0"}


def _default(column: re.Match[str]) -> str:
    default = column["default"] or _ZERO.get(column["type"], "NULL")
    return default.replace('"', "'")


def _parse(column: str) -> re.Match[str]:
    match = _COLUMN.fullmatch(column)
    assert match is not None, column
    return match


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.removeprefix("v").split("."))


def _definition(column: re.Match[str]) -> str:
    not_null = " NOT NULL" if column["not_null"] else ""
    default = f" DEFAULT {column['default']}" if column["default"] else ""
    return f"`{column['name']}` {column['type']}{not_null}{default}"


def _table(table: str, release: str) -> Table:
    columns = [
        column
        for column in map(_parse, TABLES[table])
        if column["since"] is None or _number(column["since"]) <= _number(release)
    ]
    definitions = {column["name"]: _definition(column) for column in columns}
    constraints = [
        f"CONSTRAINT `fk_{table}_{column['name'].removesuffix('_id')}` FOREIGN KEY"
        f" (`{column['name']}`) REFERENCES `{column['parent']}`(`id`)"
        for column in columns
        if column["parent"]
    ]
    parts = ["`id` integer PRIMARY KEY AUTOINCREMENT", *definitions.values(), *constraints]
    create = f"CREATE TABLE `{table}` ({','.join(parts)})"
    indexes = dict(_indexes(table, columns, release))
    return Table(table, create, definitions, indexes, frozenset({"id", *definitions}))


def _indexes(table: str, columns: list[re.Match[str]], release: str) -> Iterator[tuple[str, str]]:
    for column in columns:
        if column["index"]:
            name = f"idx_{table}_{column['name']}"
            unique = "UNIQUE " if column["index"] == "unique" else ""
            yield name, f"CREATE {unique}INDEX `{name}` ON `{table}`(`{column['name']}`)"
    for text in INDEXES.get(table, ()):
        index = _INDEX.fullmatch(text)
        assert index is not None, text
        if (_number(release) >= _number(index["release"])) == (index["when"] == "since"):
            name = f"idx_{table}_{index['name']}"
            covered = index["columns"].replace(",", "`,`")
            yield name, f"CREATE INDEX `{name}` ON `{table}`(`{covered}`)"
