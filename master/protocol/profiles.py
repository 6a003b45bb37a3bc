"""What each release does, one frozen value a release.

A difference between releases is one field here, read at one place in the code. Each release is
written as the one before it with what it changed, so this page reads as the protocol's history;
`strict` is the newest with what a careful engineer would still change on the same wire.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Lease(StrEnum):
    """What keeps a dispatched command alive beyond its timeout, while its record is running."""

    NONE = "none"
    NODE_OR_RECORD = "node or record"  # its node is online and was heard of, or its record changed
    RECORD = "record"  # its record changed; that the node lives says nothing about the command


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One release of the protocol; the fields without a word on it are those of v2.0.0.

    Attributes:
        name: what `--profile` takes and scenario files name.
        release: the version a master of this profile reports about itself.

        result_needs_dispatched: a result counts for a dispatched command only; for any other it
            is answered 200 and ignored.
        pending_times_out: a command that nobody claims goes stale too.
        pending_age_as_text: the age of a pending command is compared as text, its local time
            with the UTC threshold; right for masters in UTC only.
        lease: what keeps a dispatched command alive.
        record_owner: the node a record was made for owns it, and where it names none its task's;
            the task's alone otherwise.
        spec_while_running: a task's spec is also for a node with a running record of the task.
        finished_records_final: an agent's report about a finished record or restore is answered
            200 and ignored.
        restore_follows_record: a restore goes to the node that made the backup, not to the one
            its task is bound to.
        deletes_through_agents: deleting a record whose object is on a node's disk sends the node
            `delete_storage_object`; it is refused otherwise.
        pools: nodes have labels, tasks may name a pool of nodes instead of one.
        metrics: `/metrics` is served.
        install_under_api: install scripts are served below `/api` too.
        install_script_is_text: an install script is plain text that nobody may store or rewrite; it
            is a shell script otherwise.
        install_fallbacks: the answer with an install token has fallback URLs and the script.
        install_versions_checked: no install token is made for what cannot be an agent's version.
        rich_user: log-in answers tell more of the user.
        cron_in_local_time: cron expressions are in the master's zone, not in UTC.
        one_run_a_task: a task with a running record is not run again.
        reports_name_targets: a record report may name its storage target and the result of each
            upload.
        last_run_is_the_records: the end of a record sets its task's last run to the record's
            start.
        task_troubles_told: a record's end that cannot be noted in its task is answered 500, with the
            record saved; it is answered 200 otherwise.
        node_figures: nodes show their queue, running tasks, last error and health.
        refuses_remote_encryption: a task that encrypts cannot be bound to a remote node.
        effective_status: nodes silent for too long are shown offline before the monitor marks
            them, and the scheduler skips them.
        task_modes: tasks may be differential or repositories, keep by day, week, month and year, use
            zstd, and back up MongoDB.
        backup_kinds: records tell what kind they are, and one that others build on is kept.
        backup_contents: the list of what is in a backup is served, if it has one.
        viewers_list_directories: any role may list an agent's directories.
        restore_spec_checksum: a restore's spec has the checksum of its backup.
        locks: records can be locked against deletion.
        selective_restores: a restore may name paths and a folder (on the master's node alone).
        reports_checked: record reports are checked; see protocol 3.1.
        relay: storage on the master's disk is reached through it; see protocol 3.2.
        missing_object_is_deleted: deleting an object that is not there succeeds.
        heartbeat_header_first: a heartbeat's token is looked for in its headers first.
        proxies_trusted: forwarded addresses count only from a trusted proxy; from anyone
            otherwise.
        install_connections: an install token may name the master's address, a proxy and a
            certificate for its agent.
        install_plans_checked: an install script that cannot be written, or is for no known mode or
            architecture, is INSTALL_TOKEN_INVALID; INTERNAL_ERROR otherwise.
        tokens_not_stored: answers with a node's token forbid storing them.
        deletes_copies: deleting a task deletes each copy of its backups, not the first alone.
        target_names_in_records: records show the name of their storage target.

        late_results_told: a result that comes too late, or too early, is answered 409, unless it
            repeats what is known already.
        late_reports_told: a report about a finished record or restore is answered 409, unless it
            repeats what is known already.
        ends_agree: a command's end fails the record it leaves running.
        restore_status_checked: a restore report's status must be one of the known.
        failures_mark_task: a record that the master fails, by a timeout or by its command's end, sets its
            task's last status, which would say "running" for ever.
        reports_whole: a report changes its record and its task together or not at all, so that its
            sender knows what a 500 means, and may send it again; one after the other otherwise.
        uploads_all_or_nothing: an upload that fails leaves what an earlier one has stored, which was
            acknowledged; it is deleted otherwise.
        presence_everywhere: a node silent for too long is offline for every decision.
        payloads_forget_secrets: passwords leave a command's payload when it ends.

    """

    name: str
    release: str

    result_needs_dispatched: bool = False
    pending_times_out: bool = False
    pending_age_as_text: bool = True
    lease: Lease = Lease.NONE
    record_owner: bool = False
    spec_while_running: bool = False
    finished_records_final: bool = False
    restore_follows_record: bool = False
    deletes_through_agents: bool = False
    pools: bool = False
    metrics: bool = False
    install_under_api: bool = False
    install_script_is_text: bool = False
    install_fallbacks: bool = False
    install_versions_checked: bool = False
    rich_user: bool = False
    cron_in_local_time: bool = False

    one_run_a_task: bool = False
    reports_name_targets: bool = False
    last_run_is_the_records: bool = False
    task_troubles_told: bool = False
    node_figures: bool = False
    refuses_remote_encryption: bool = False

    effective_status: bool = False
    task_modes: bool = False
    backup_kinds: bool = False
    backup_contents: bool = False
    viewers_list_directories: bool = True
    restore_spec_checksum: bool = False
    locks: bool = False
    selective_restores: bool = False
    reports_checked: bool = False
    relay: bool = False
    missing_object_is_deleted: bool = False
    heartbeat_header_first: bool = False
    proxies_trusted: bool = False
    install_connections: bool = False
    install_plans_checked: bool = False
    tokens_not_stored: bool = False
    deletes_copies: bool = False
    target_names_in_records: bool = False

    late_results_told: bool = False
    late_reports_told: bool = False
    ends_agree: bool = False
    restore_status_checked: bool = False
    failures_mark_task: bool = False
    reports_whole: bool = False
    uploads_all_or_nothing: bool = False
    presence_everywhere: bool = False
    payloads_forget_secrets: bool = False


_V2_0_0: Final = Profile(name="2.0", release="v2.0.0")

_V2_3_4: Final = replace(
    _V2_0_0,
    name="2.3.4",
    release="v2.3.4",
    result_needs_dispatched=True,
    pending_times_out=True,
    lease=Lease.NODE_OR_RECORD,
    record_owner=True,
    spec_while_running=True,
    finished_records_final=True,
    restore_follows_record=True,
    deletes_through_agents=True,
    pools=True,  # from here to cron_in_local_time: v2.1.0 to v2.3.1
    metrics=True,
    install_under_api=True,
    install_script_is_text=True,
    install_fallbacks=True,
    install_versions_checked=True,
    rich_user=True,
    cron_in_local_time=True,
)

_V2_3_5: Final = replace(
    _V2_3_4,
    name="2.3.5",
    release="v2.3.5",
    one_run_a_task=True,
    reports_name_targets=True,
    last_run_is_the_records=True,
    task_troubles_told=True,
    node_figures=True,
    refuses_remote_encryption=True,
)

_V2_4_0: Final = replace(
    _V2_3_5,
    name="2.4",
    release="v2.4.0",
    effective_status=True,
    task_modes=True,
    backup_kinds=True,
    backup_contents=True,
    viewers_list_directories=False,
    restore_spec_checksum=True,
    locks=True,
    selective_restores=True,
    reports_checked=True,
    relay=True,
    missing_object_is_deleted=True,
    heartbeat_header_first=True,
    proxies_trusted=True,
    install_connections=True,
    install_plans_checked=True,
    tokens_not_stored=True,
    deletes_copies=True,
    target_names_in_records=True,
)

_STRICT: Final = replace(
    _V2_4_0,
    name="strict",
    pending_age_as_text=False,
    lease=Lease.RECORD,
    late_results_told=True,
    late_reports_told=True,
    ends_agree=True,
    restore_status_checked=True,
    failures_mark_task=True,
    uploads_all_or_nothing=True,
    reports_whole=True,
    presence_everywhere=True,
    payloads_forget_secrets=True,
)

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile for profile in (_V2_0_0, _V2_3_4, _V2_3_5, _V2_4_0, _STRICT)
}
"""Every profile by its name, in the order of their releases."""

DEFAULT_PROFILE: Final = "2.0"
