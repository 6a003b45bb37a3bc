"""One frozen value a row, with the columns as the database names them.

Every row has the columns of every release; one that the file lacks reads as its default.
Text that may be NULL reads as "", numbers as 0, as the real master reads them; only times and
what has a meaning when it is missing stay `None`.
Times are the database's own text (see `master.protocol.times`).
"""

from collections.abc import Collection
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct

from master.store import schema


class Row(Struct, frozen=True, gc=False):
    """Base of all rows."""

    id: int


class Node(Row, frozen=True, gc=False):
    """A row of `nodes`."""

    name: str
    hostname: str
    ip_address: str
    token: str
    status: str
    is_local: int
    os: str
    arch: str
    agent_version: str
    last_seen: str | None
    prev_token: str
    prev_token_expires: str | None
    max_concurrent: int
    bandwidth_limit: str
    labels: str
    created_at: str | None
    updated_at: str | None


class Command(Row, frozen=True, gc=False):
    """A row of `agent_commands`."""

    node_id: int
    type: str
    status: str
    payload: str
    result: str
    error_message: str
    dispatched_at: str | None
    completed_at: str | None
    created_at: str | None
    updated_at: str | None


class Task(Row, frozen=True, gc=False):
    """A row of `backup_tasks`."""

    name: str
    type: str
    enabled: int
    cron_expr: str
    source_path: str
    source_paths: str
    exclude_patterns: str
    db_host: str
    db_port: int
    db_user: str
    db_password_ciphertext: str
    db_name: str
    db_path: str
    extra_config: str
    storage_target_id: int
    node_id: int
    node_pool_tag: str
    tags: str
    retention_days: int
    compression: str
    encrypt: int
    max_backups: int
    backup_mode: str
    diff_full_interval_days: int
    keep_daily: int
    keep_weekly: int
    keep_monthly: int
    keep_yearly: int
    last_run_at: str | None
    last_status: str
    verify_enabled: int
    verify_cron_expr: str
    verify_mode: str
    sla_hours_rpo: int
    alert_on_consecutive_fails: int
    replication_target_ids: str
    maintenance_windows: str
    depends_on_task_ids: str
    created_at: str | None
    updated_at: str | None


class Target(Row, frozen=True, gc=False):
    """A row of `storage_targets`."""

    name: str
    type: str
    description: str
    enabled: int
    starred: int
    config_ciphertext: str
    config_version: int
    last_tested_at: str | None
    last_test_status: str
    last_test_message: str
    quota_bytes: int
    created_at: str | None
    updated_at: str | None


class Record(Row, frozen=True, gc=False):
    """A row of `backup_records`."""

    task_id: int
    storage_target_id: int
    node_id: int
    status: str
    file_name: str
    file_size: int
    checksum: str
    storage_path: str
    storage_transfer_mode: str
    storage_upload_results: str
    duration_seconds: int
    locked: int
    backup_kind: str
    base_record_id: int
    manifest: str
    error_message: str
    log_content: str
    started_at: str
    completed_at: str | None
    created_at: str | None
    updated_at: str | None


class Restore(Row, frozen=True, gc=False):
    """A row of `restore_records`."""

    backup_record_id: int
    task_id: int
    node_id: int
    target_path: str
    status: str
    error_message: str
    log_content: str
    duration_seconds: int
    started_at: str
    completed_at: str | None
    triggered_by: str
    created_at: str | None
    updated_at: str | None


class User(Row, frozen=True, gc=False):
    """A row of `users`."""

    username: str
    password_hash: str
    display_name: str
    email: str
    phone: str
    role: str
    two_factor_enabled: int
    two_factor_secret_ciphertext: str
    two_factor_recovery_code_hashes: str
    webauthn_credentials: str
    webauthn_challenge_ciphertext: str
    trusted_devices: str
    email_otp_enabled: int
    sms_otp_enabled: int
    out_of_band_otp_ciphertext: str
    disabled: int
    created_at: str | None
    updated_at: str | None


class InstallToken(Row, frozen=True, gc=False):
    """A row of `agent_install_tokens`."""

    token: str
    node_id: int
    mode: str
    arch: str
    agent_ver: str
    download_src: str
    agent_master_url: str
    proxy_url: str
    ca_cert_file: str
    expires_at: str
    consumed_at: str | None
    created_by_id: int
    created_at: str | None


class ApiKey(Row, frozen=True, gc=False):
    """A row of `api_keys`."""

    name: str
    role: str
    key_hash: str
    prefix: str
    created_by: str
    last_used_at: str | None
    expires_at: str | None
    disabled: int
    created_at: str | None
    updated_at: str | None


class AuditLog(Row, frozen=True, gc=False):
    """A row of `audit_logs`."""

    user_id: int
    username: str
    category: str
    action: str
    target_type: str
    target_id: str
    target_name: str
    detail: str
    client_ip: str
    created_at: str | None


R = TypeVar("R", bound=Row)

TABLE_OF: dict[type[Row], str] = {
    Node: "nodes",
    Command: "agent_commands",
    Task: "backup_tasks",
    Target: "storage_targets",
    Record: "backup_records",
    Restore: "restore_records",
    User: "users",
    InstallToken: "agent_install_tokens",
    ApiKey: "api_keys",
    AuditLog: "audit_logs",
}


@lru_cache(maxsize=64)
def select(row: type[Row], has: Collection[str]) -> str:
    """Return the `SELECT … FROM …` that reads rows of one type, ready for a WHERE.

    Args:
        row: the type.
        has: the columns that the file's table has.

    """
    table = TABLE_OF[row]
    expressions = schema.expressions(table)
    columns = ["id"]
    for name in row.__struct_fields__[1:]:
        read, default = expressions[name]
        columns.append(read if name in has else f"{default} AS {name}")
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names are our own
