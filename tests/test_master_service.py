"""What the reference master decides about agents, at the nanosecond and when things go wrong."""

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from conftest import HandClock

from harness.target import SeededEntropy
from master import monitors
from master.admin import nodes as node_admin
from master.config import Config
from master.core import Master
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Request, Response
from master.protocol.messages import RecordUpdate, RestoreUpdate
from master.protocol.states import CommandStatus, CommandType, RecordStatus
from master.protocol.times import NS, db_text, parse
from master.service import agents, queue, reports, timeouts
from master.store import commands, nodes, records
from master.store import database as database_module
from master.store.database import Database
from master.store.rows import Command, Node, Record, Restore, Task

T0: Final = 1_900_000_000 * NS
TIMEOUT_NS: Final = 600 * NS
OFFLINE_NS: Final = 45 * NS
GRACE_NS: Final = 86_400 * NS


def at(instant_ns: int) -> Now:
    return Now(instant_ns, db_text(instant_ns), db_text(instant_ns))


class Rig:
    """A master with one remote node and one task on it."""

    def __init__(self, master: Master) -> None:
        self.master = master
        self.state = master.state
        self.database = master.state.database
        self.node = self.add_node("alpha")
        self.task_id = self.database.insert(
            Task,
            name="documents",
            type="file",
            storage_target_id=1,
            node_id=self.node.id,
            last_status="running",
            created_at=at(T0).local,
        )

    def add_node(self, name: str) -> Node:
        node_id = nodes.insert(self.database, name, f"token of {name}", at(T0))
        node: Node = self.get(Node, node_id)
        return node

    def get(self, row: type[Any], row_id: int) -> Any:
        found = self.database.get(row, row_id)
        assert found is not None
        return found

    def add_record(self, started_ns: int = T0, status: str = "running") -> int:
        record_id = records.insert_backup(
            self.database,
            task_id=self.task_id,
            storage_target_id=1,
            node_id=self.node.id,
            now=at(started_ns),
        )
        self.database.update(Record, record_id, status=status, log_content="so far\n")
        return record_id

    def add_restore(self, started_ns: int = T0, status: str = "running") -> int:
        record = self.get(Record, self.add_record(started_ns, "success"))
        restore_id = records.insert_restore(
            self.database, record=record, node_id=self.node.id, triggered_by="1", now=at(started_ns)
        )
        self.database.update(Restore, restore_id, status=status)
        return restore_id

    def add_command(
        self,
        payload: object = None,
        kind: CommandType = CommandType.RUN_TASK,
        dispatched_ns: int | None = T0,
    ) -> int:
        """Put a command into the queue, and hand it out at an instant."""
        command_id = queue.enqueue(self.state, self.node.id, kind, payload or {}, at(T0))
        if dispatched_ns is not None:
            self.database.update(
                Command, command_id, status="dispatched", dispatched_at=db_text(dispatched_ns)
            )
        return command_id

    def tick(self, now_ns: int = T0 + TIMEOUT_NS + 1) -> int:
        return monitors.expire_stale_commands(self.state, at(now_ns))

    def status(self, row: type[Any], row_id: int) -> str:
        return str(self.get(row, row_id).status)

    def send(self, path: str, body: bytes = b"", token: str = "") -> Response:
        headers = {"x-agent-token": token or self.node.token}
        return trio.run(self.master.handle, Request("POST", path, headers, body))


@pytest.fixture
def rig(master: Master) -> Rig:
    return Rig(master)


# --- timeouts -------------------------------------------------------------------------------


@pytest.mark.parametrize(("age_ns", "stale"), [(-1, False), (0, False), (1, True), (NS, True)])
@pytest.mark.parametrize("fraction_ns", [0, 1, 500_000_000, 999_999_999])
def test_a_command_is_stale_after_the_timeout(
    rig: Rig, age_ns: int, stale: bool, fraction_ns: int
) -> None:
    """One nanosecond more than the timeout is enough, the timeout itself is not."""
    dispatched_ns = T0 + fraction_ns
    command_id = rig.add_command(dispatched_ns=dispatched_ns)

    found = timeouts.stale_commands(rig.state, at(dispatched_ns + TIMEOUT_NS + age_ns))

    assert [command.id for command in found] == ([command_id] if stale else [])


@pytest.mark.parametrize("status", sorted(set(CommandStatus) - {CommandStatus.DISPATCHED}))
def test_only_a_dispatched_command_times_out(rig: Rig, status: str) -> None:
    """A command nobody fetched waits for ever, one that has ended stays as it ended."""
    command_id = rig.add_command()
    rig.database.update(Command, command_id, status=status, error_message="as it was")
    before = rig.get(Command, command_id)

    expired = rig.tick(T0 + 100 * TIMEOUT_NS)

    assert expired == 0
    assert rig.get(Command, command_id) == before


def test_a_timeout_is_written_in_full(rig: Rig) -> None:
    """The command and its record say when and why they ended; the task and the log say nothing."""
    record_id = rig.add_record()
    command_id = rig.add_command({"recordId": record_id, "taskId": rig.task_id})
    task = rig.get(Task, rig.task_id)
    now_ns = T0 + TIMEOUT_NS + 1

    rig.tick(now_ns)

    command, record = rig.get(Command, command_id), rig.get(Record, record_id)
    assert (command.status, command.error_message) == ("timeout", timeouts.TIMEOUT_MESSAGE)
    assert (command.completed_at, command.dispatched_at) == (db_text(now_ns), db_text(T0))
    assert (record.status, record.error_message) == ("failed", timeouts.RECORD_TIMEOUT_MESSAGE)
    assert (record.completed_at, record.duration_seconds) == (db_text(now_ns), 600)
    assert record.log_content == "so far\n"
    assert rig.get(Task, rig.task_id) == task


def refuse_update(rig: Rig, table: str, row_id: int) -> None:
    """Let every update of one row fail."""
    rig.database.execute(
        f"CREATE TEMP TRIGGER refuse BEFORE UPDATE ON {table} WHEN NEW.id = {row_id}"
        " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )


@pytest.mark.parametrize("table", ["backup_records", "agent_commands"])
def test_one_command_that_cannot_time_out_keeps_no_other_waiting(
    rig: Rig, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of ten stale commands nine time out, the tenth stays whole, and the next tick takes it."""
    record_ids = [rig.add_record() for _ in range(10)]
    command_ids = [rig.add_command({"recordId": record_id}) for record_id in record_ids]
    rig.database.delete(Record, record_ids[2])  # its record is gone
    refuse_update(rig, table, (command_ids if table == "agent_commands" else record_ids)[5])

    first = rig.tick()
    statuses = [rig.status(Command, command_id) for command_id in command_ids]
    record = rig.get(Record, record_ids[5])
    rig.database.execute("DROP TRIGGER refuse")
    second = rig.tick()

    assert (first, second) == (9, 1)
    assert statuses == ["timeout"] * 5 + ["dispatched"] + ["timeout"] * 4
    assert (record.status, record.error_message, record.completed_at) == ("running", "", None)
    assert rig.status(Command, command_ids[5]) == "timeout"
    assert rig.status(Record, record_ids[5]) == "failed"
    assert f"command {command_ids[5]} cannot be timed out: the disk is full" in caplog.messages


def test_an_unreadable_time_keeps_no_other_waiting(rig: Rig) -> None:
    """A record whose start nobody can read is left alone, and every command times out."""
    broken, sound = rig.add_record(), rig.add_record()
    rig.database.update(Record, broken, started_at="yesterday")
    first = rig.add_command({"recordId": broken})
    second = rig.add_command({"recordId": sound})

    assert rig.tick() == 2
    assert (rig.status(Command, first), rig.status(Command, second)) == ("timeout", "timeout")
    assert (rig.status(Record, broken), rig.status(Record, sound)) == ("running", "failed")


@pytest.mark.parametrize("status", ["success", "failed", "Running", "running ", "paused", ""])
def test_only_a_running_record_fails_with_its_command(rig: Rig, status: str) -> None:
    """A record that has ended, or has any other status, is not touched by a timeout."""
    record_id, restore_id = rig.add_record(status=status), rig.add_restore(status=status)
    before = rig.get(Record, record_id), rig.get(Restore, restore_id)
    rig.add_command({"recordId": record_id})
    rig.add_command({"restoreRecordId": restore_id}, CommandType.RESTORE_RECORD)

    assert rig.tick() == 2
    assert (rig.get(Record, record_id), rig.get(Restore, restore_id)) == before


def test_a_restore_fails_with_its_command(rig: Rig) -> None:
    """A restore's command names a restore, whatever backup record has the same id."""
    restore_id = rig.add_restore()
    record_id = rig.add_record()
    payload = {"restoreRecordId": restore_id, "recordId": record_id}
    rig.add_command(payload, CommandType.RESTORE_RECORD)

    rig.tick()

    restore = rig.get(Restore, restore_id)
    assert (restore.status, restore.duration_seconds) == ("failed", 600)
    assert restore.error_message == timeouts.RECORD_TIMEOUT_MESSAGE
    assert rig.status(Record, record_id) == "running"


@pytest.mark.parametrize(
    "kind", sorted(set(CommandType) - {CommandType.RUN_TASK, CommandType.RESTORE_RECORD})
)
def test_a_question_is_linked_to_nothing(rig: Rig, kind: CommandType) -> None:
    """Whatever ids its payload holds, a call that is no run leaves records alone."""
    record_id = rig.add_record()
    command_id = rig.add_command({"recordId": record_id, "restoreRecordId": record_id}, kind)

    rig.tick()

    assert rig.status(Command, command_id) == "timeout"
    assert rig.status(Record, record_id) == "running"


@pytest.mark.parametrize(
    "payload",
    [
        *("", "{", "[]", "null", "7", '"1"', "{}"),
        *('{"recordId":"1"}', '{"recordId":true}', '{"recordId":1.0}', '{"recordId":null}'),
        *('{"recordId":0}', '{"recordId":-1}', '{"recordId":18446744073709551616}'),
        '{"recordId":[1]}',
    ],
)
def test_a_payload_that_names_no_record_does_not_stop_the_timeout(rig: Rig, payload: str) -> None:
    """The command times out, and record 1 goes on running."""
    record_id = rig.add_record()
    command_id = rig.add_command()
    rig.database.update(Command, command_id, payload=payload)

    assert record_id == 1
    assert rig.tick() == 1
    assert rig.status(Record, record_id) == "running"


DURATIONS = [
    (0, 0),
    (999_999_999, 0),
    (NS, 1),
    (3 * NS - 1, 2),
    (90_061 * NS + 1, 90_061),
    (-1, 0),
    (-NS + 1, 0),
    (-NS, -1),
    (-2 * NS + 1, -1),
]


@pytest.mark.parametrize(("elapsed_ns", "seconds"), DURATIONS)
def test_a_duration_is_cut_towards_zero(rig: Rig, elapsed_ns: int, seconds: int) -> None:
    """Whole seconds, also when a clock was set back, for reports and for timeouts alike."""
    ended = at(T0 + elapsed_ns)
    reported, restored, silent = rig.add_record(), rig.add_restore(), rig.add_record()

    reports.update_record(rig.state, rig.node, reported, RecordUpdate(status="success"), ended)
    reports.update_restore(rig.state, rig.node, restored, RestoreUpdate(status="failed"), ended)
    records.fail_running(rig.database, Record, silent, "late", ended)

    assert rig.get(Record, reported).duration_seconds == seconds
    assert rig.get(Restore, restored).duration_seconds == seconds
    assert rig.get(Record, silent).duration_seconds == seconds


# --- silence --------------------------------------------------------------------------------


@pytest.mark.parametrize(("age_ns", "status"), [(-1, "online"), (0, "online"), (1, "offline")])
def test_a_node_is_offline_after_the_silence(rig: Rig, age_ns: int, status: str) -> None:
    """One nanosecond more than the silence is enough, the silence itself is not."""
    rig.database.update(Node, rig.node.id, status="online", last_seen=db_text(T0))

    count = agents.silence_nodes(rig.state, at(T0 + OFFLINE_NS + age_ns))

    assert rig.status(Node, rig.node.id) == status
    assert count == (status == "offline")


def test_silence_is_noticed_once(rig: Rig) -> None:
    """A node that is offline already is not counted, nor changed, again."""
    rig.database.update(Node, rig.node.id, status="online", last_seen=db_text(T0))
    later = [T0 + OFFLINE_NS + 1, T0 + OFFLINE_NS + 2]

    counts = [monitors.silence_quiet_nodes(rig.state, at(now_ns)) for now_ns in later]

    assert counts == [1, 0]
    assert rig.get(Node, rig.node.id).updated_at == db_text(later[0])


def test_the_master_s_own_node_is_never_silent(rig: Rig) -> None:
    """Nobody sends heartbeats for it, and it stays online."""
    count = agents.silence_nodes(rig.state, at(T0 + 1_000 * OFFLINE_NS))

    assert count == 0
    assert rig.database.count(Node, "is_local = 1 AND status = 'online'") == 1


# --- tokens ---------------------------------------------------------------------------------


def identified(rig: Rig, token: str, now_ns: int) -> int | str:
    """Return whose token this is at an instant, or the code of the refusal."""
    try:
        return agents.authenticate(rig.state, token, at(now_ns)).id
    except ApiError as error:
        return error.code


@pytest.mark.parametrize("age_ns", [-1, 0, 1])
def test_an_old_token_works_until_its_grace_is_over(rig: Rig, age_ns: int) -> None:
    """At the end of the grace it is refused, one nanosecond before it is not."""
    old = rig.node.token
    new = node_admin.rotate(rig.state, rig.node, at(T0))

    now_ns = T0 + GRACE_NS + age_ns

    assert identified(rig, old, now_ns) == (rig.node.id if age_ns < 0 else "NODE_INVALID_TOKEN")
    assert identified(rig, new, now_ns) == rig.node.id


def test_a_second_rotation_ends_the_first_grace(rig: Rig) -> None:
    """The token before the last one dies at once, the last one gets a grace of its own."""
    first = rig.node.token
    second = node_admin.rotate(rig.state, rig.node, at(T0))
    third = node_admin.rotate(rig.state, rig.get(Node, rig.node.id), at(T0 + NS))

    assert identified(rig, first, T0 + NS) == "NODE_INVALID_TOKEN"
    assert identified(rig, second, T0 + NS + GRACE_NS - 1) == rig.node.id
    assert identified(rig, second, T0 + NS + GRACE_NS) == "NODE_INVALID_TOKEN"
    assert len({first, second, third}) == 3


def test_a_rotation_changes_the_token_alone(rig: Rig) -> None:
    """Status, last sign of life and queue of the node are what they were."""
    rig.database.update(Node, rig.node.id, status="online", hostname="h")
    command_id = rig.add_command(dispatched_ns=None)
    before = rig.get(Node, rig.node.id)

    token = node_admin.rotate(rig.state, before, at(T0 + NS))

    after = rig.get(Node, rig.node.id)
    kept = ("id", "name", "hostname", "status", "last_seen", "created_at", "max_concurrent")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert (after.token, after.prev_token) == (token, before.token)
    assert after.prev_token_expires == db_text(T0 + NS + GRACE_NS)
    assert rig.status(Command, command_id) == "pending"


@pytest.mark.parametrize("expires", [None, ""])
def test_an_old_token_without_an_end_is_refused(rig: Rig, expires: str | None) -> None:
    """A previous token counts only with an instant until which it does."""
    rig.database.update(Node, rig.node.id, prev_token="older", prev_token_expires=expires)

    assert identified(rig, "older", T0) == "NODE_INVALID_TOKEN"


@pytest.mark.parametrize("token", ["", " ", "\t\n"])
def test_no_token_is_nobody(rig: Rig, token: str) -> None:
    """A node whose previous token is empty is not found by an empty token."""
    rig.database.update(
        Node, rig.node.id, prev_token=token, prev_token_expires=db_text(T0 + GRACE_NS)
    )

    assert identified(rig, token, T0) == "NODE_INVALID_TOKEN"


def test_the_master_s_own_node_has_no_token_to_rotate(rig: Rig) -> None:
    """It is refused, and its token stays."""
    own = rig.database.find(Node, "is_local = 1")
    assert own is not None

    with pytest.raises(ApiError, match="NODE_ROTATE_LOCAL"):
        node_admin.rotate(rig.state, own, at(T0))

    assert rig.get(Node, own.id) == own


# --- claims ---------------------------------------------------------------------------------


def poll(rig: Rig) -> Any:
    response = rig.send("/api/agent/commands/poll")
    assert response.status == 200
    return json.loads(response.body)["data"]["command"]


def test_a_claim_that_another_won_gives_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes the command between looking and claiming: it is theirs, and only theirs."""
    command_id = rig.add_command({"a": 1}, dispatched_ns=None)
    spare_id = rig.add_command({"a": 2}, dispatched_ns=None)
    execute = rig.database.execute

    def overtaken(sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if sql.startswith("UPDATE agent_commands"):
            execute(
                "UPDATE agent_commands SET status = 'dispatched', dispatched_at = 'theirs'"
                " WHERE id = ?",
                (command_id,),
            )
        return execute(sql, values)

    monkeypatch.setattr(rig.database, "execute", overtaken)
    lost = poll(rig)
    monkeypatch.undo()

    assert lost is None
    assert rig.get(Command, command_id).dispatched_at == "theirs"
    assert poll(rig)["id"] == spare_id


def test_commands_are_claimed_once_each_and_in_order(rig: Rig) -> None:
    """Every command is handed out exactly once, the oldest first, and to its own node only."""
    beta = rig.add_node("beta")
    command_ids = [rig.add_command({"n": n}, dispatched_ns=None) for n in range(20)]
    theirs = commands.insert(rig.database, beta.id, CommandType.LIST_DIR, "{}", at(T0))

    claimed = [poll(rig) for _ in range(21)]

    assert [one and one["id"] for one in claimed] == [*command_ids, None]
    assert rig.status(Command, theirs) == "pending"


# --- zones ----------------------------------------------------------------------------------


class KathmanduClock(HandClock):
    """A clock in a zone that is no whole number of hours from UTC."""

    def offset_s(self, instant_ns: int) -> int:  # noqa: ARG002 - as clocks are asked
        return 20_700


def test_two_columns_are_in_the_master_s_own_zone() -> None:
    """A row's making and changing are in local time; whatever is compared is in UTC."""
    entropy = SeededEntropy(random.Random(1))
    clock = KathmanduClock()
    with Master(Database(), clock, entropy, Config(bcrypt_cost=4)) as master:
        rig = Rig(master)
        command_id = queue.enqueue(rig.state, rig.node.id, CommandType.LIST_DIR, {}, Now.of(clock))
        poll(rig)
        claimed = rig.get(Command, command_id)
        rig.send("/api/agent/heartbeat", b"{}")
        node = rig.get(Node, rig.node.id)
        expired = [
            monitors.expire_stale_commands(
                rig.state,
                Now(parse(claimed.dispatched_at) + TIMEOUT_NS + age_ns, "", ""),
            )
            for age_ns in (0, 1)
        ]

    assert {text[-6:] for text in (claimed.created_at, claimed.updated_at)} == {"+05:45"}
    assert node.updated_at.endswith("+05:45")
    assert claimed.dispatched_at.endswith("+00:00")
    assert node.last_seen.endswith("+00:00")
    assert parse(claimed.updated_at) == parse(claimed.dispatched_at) > parse(claimed.created_at)
    assert parse(node.updated_at) == parse(node.last_seen)
    assert expired == [0, 1]


# --- a database that somebody else holds ----------------------------------------------------


@pytest.fixture
def filed(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Rig, sqlite3.Connection]]:
    """Give a master on a file, and another connection to that file."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.01)
    path = tmp_path / "master.db"
    entropy = SeededEntropy(random.Random(1))
    with (
        Master(Database(path), clock, entropy, Config(bcrypt_cost=4)) as master,
        closing(sqlite3.connect(path, timeout=0.01, isolation_level=None)) as connection,
    ):
        yield Rig(master), connection


WRITES = {
    "heartbeat": ("/api/agent/heartbeat", b'{"hostname":"h"}'),
    "claim": ("/api/agent/commands/poll", b""),
    "result": ("/api/agent/commands/1/result", b'{"success":true}'),
    "record": ("/api/agent/records/1", b'{"status":"success","logAppend":"x"}'),
    "restore": ("/api/agent/restores/1", b'{"status":"failed"}'),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_locked_database_changes_nothing(
    filed: tuple[Rig, sqlite3.Connection], write: str
) -> None:
    """Whoever asks is told of a fault, nothing is changed, and asking again later works."""
    rig, connection = filed
    rig.add_restore()
    rig.add_command({"recordId": 1}, dispatched_ns=None)
    before = list(connection.iterdump())
    connection.execute("BEGIN IMMEDIATE")

    response = rig.send(*WRITES[write])
    connection.execute("ROLLBACK")

    assert (response.status, json.loads(response.body)["code"]) == (500, "INTERNAL_ERROR")
    assert list(connection.iterdump()) == before
    assert rig.send(*WRITES[write]).status == 200
    assert list(connection.iterdump()) != before


def test_a_locked_database_keeps_nobody_from_reading(
    filed: tuple[Rig, sqlite3.Connection],
) -> None:
    """While another process writes, specifications and signs of identity are answered."""
    rig, connection = filed
    connection.execute("BEGIN IMMEDIATE")

    request = Request("GET", "/api/v1/agent/self", {"x-agent-token": rig.node.token})
    response = trio.run(rig.master.handle, request)

    assert response.status == 200


def test_a_tick_on_a_locked_database_is_made_up_for(
    filed: tuple[Rig, sqlite3.Connection],
) -> None:
    """Stale commands stay stale while nobody can write, and time out at the next tick."""
    rig, connection = filed
    command_id = rig.add_command()
    connection.execute("BEGIN IMMEDIATE")

    assert rig.tick() == 0
    assert rig.status(Command, command_id) == "dispatched"

    connection.execute("ROLLBACK")
    assert rig.tick() == 1
    assert rig.status(Command, command_id) == "timeout"


# --- what no agent should send --------------------------------------------------------------


def test_a_result_that_is_no_unicode_is_taken(rig: Rig) -> None:
    """Bytes that are no text become the replacement character, as in every other field."""
    command_id = rig.add_command()

    response = rig.send(
        f"/api/agent/commands/{command_id}/result", b'{"success":true,"result":{"name":"\xff"}}'
    )

    assert response.status == 200
    assert rig.get(Command, command_id).result == '{"name":"\ufffd"}'


def test_a_result_that_nests_without_end_is_refused(rig: Rig) -> None:
    """A body that no parser can follow is a bad body, and the command stays as it is."""
    command_id = rig.add_command()
    deep = b'{"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    response = rig.send(f"/api/agent/commands/{command_id}/result", deep)

    assert (response.status, json.loads(response.body)["code"]) == (400, "INVALID_INPUT")
    assert rig.status(Command, command_id) == "dispatched"


def test_an_id_may_have_any_number_of_leading_zeros(rig: Rig) -> None:
    """Go reads as many as there are."""
    record_id = rig.add_record()
    path = f"/api/agent/records/{'0' * 5_000}{record_id}"

    response = rig.send(path, b'{"status":"success"}')

    assert response.status == 200
    assert rig.status(Record, record_id) == RecordStatus.SUCCESS
