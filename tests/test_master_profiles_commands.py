"""What ends a command, release by release: results, timeouts, signs of life."""

import json
from typing import Any, Final

import pytest
import trio
from cluster import EVERY, Cluster, cluster, profiles

from master import monitors
from master.config import Timings
from master.protocol.exchange import Request
from master.protocol.profiles import PROFILES, Lease
from master.protocol.states import CommandType
from master.protocol.times import NS, db_text
from master.service import queue, timeouts
from master.store import nodes
from master.store.rows import Command, Node, Record, Restore, Task

TIMEOUT_S: Final = Timings().command_timeout_s
OTHER_END: Final = {"success": False, "errorMessage": "no"}


class Agents(Cluster):
    """A cluster with one node, one task, and its commands."""

    node_id: int
    token: str
    task_id: int

    @classmethod
    def of(cls, one: Cluster) -> "Agents":
        one.__class__ = cls
        assert isinstance(one, Agents)
        one.node_id, one.token = one.node()
        one.task_id = one.task(one.node_id)
        return one

    def started(self) -> tuple[int, int]:
        """Run the task; return its command and its record."""
        record_id = self.run(self.task_id)
        [(command_id,)] = self.database.query("SELECT max(id) FROM agent_commands")
        return int(command_id), record_id

    def restoring(self) -> tuple[int, int]:
        """Restore a backup; return the command and the restore."""
        _, record_id = self.started()
        self.poll()
        self.finish(record_id)
        restore = self.data("POST", f"/api/backup/records/{record_id}/restore")
        [(command_id,)] = self.database.query("SELECT max(id) FROM agent_commands")
        return int(command_id), int(restore["id"])

    def poll(self) -> Any:
        return self.data("POST", "/api/agent/commands/poll", agent=self.token)["command"]

    def beat(self) -> None:
        self.data("POST", "/api/agent/heartbeat", {}, agent=self.token)

    def result(self, command_id: int, body: object) -> tuple[int, str]:
        path = f"/api/agent/commands/{command_id}/result"
        return self.refusal("POST", path, body, agent=self.token)

    def tick(self) -> None:
        monitors.silence_quiet_nodes(self.state, self.now)
        monitors.expire_stale_commands(self.state, self.now)

    def command(self, command_id: int) -> Command:
        found = self.database.get(Command, command_id)
        assert found is not None
        return found

    def record(self, record_id: int) -> Record:
        found = self.database.get(Record, record_id)
        assert found is not None
        return found

    def last_status(self) -> str:
        task = self.database.get(Task, self.task_id)
        assert task is not None
        return task.last_status


# --- results --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_a_result_for_a_pending_command(profile: str) -> None:
    """v2.0.0 takes it; later ones leave the command to be claimed; strict says so."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()

        answer = one.result(command_id, {"success": True})

        guarded = profile in profiles("result_needs_dispatched")
        assert one.command(command_id).status == ("pending" if guarded else "succeeded")
        told = profile in profiles("late_reports_told")
        assert answer == ((409, "AGENT_COMMAND_NOT_CLAIMED") if told else (200, "OK"))
        assert (one.poll() is not None) == guarded


@pytest.mark.parametrize("profile", EVERY)
def test_a_late_result(profile: str) -> None:
    """v2.0.0 overwrites what has ended; later ones do not; strict tells the sender."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()
        one.poll()
        one.result(command_id, {"success": True, "result": {"recordId": 1}})
        before = one.command(command_id)
        one.wait(1)

        answer = one.result(command_id, OTHER_END)

        if profile in profiles("result_needs_dispatched"):
            assert one.command(command_id) == before
        else:
            assert one.command(command_id).error_message == "no"
        told = profile in profiles("late_reports_told")
        assert answer == ((409, "AGENT_COMMAND_FINISHED") if told else (200, "OK"))


@pytest.mark.parametrize("profile", EVERY)
def test_a_result_that_repeats_what_is_known(profile: str) -> None:
    """An agent whose answer was lost may send its result again, in every release."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()
        one.poll()
        body = {"success": True, "result": {"recordId": 1}}
        one.result(command_id, body)

        assert one.result(command_id, body) == (200, "OK")
        assert one.command(command_id).status == "succeeded"


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("body", [{"success": True}, OTHER_END])
def test_a_command_that_ends_before_its_record(profile: str, body: dict[str, object]) -> None:
    """Where ends agree, the record is failed and the task says so; elsewhere it runs on."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        one.poll()
        one.wait(3)

        one.result(command_id, body)

        record = one.record(record_id)
        if profile in profiles("ends_agree"):
            message = body.get("errorMessage", queue.LEFT_RUNNING_MESSAGE)
            assert (record.status, record.error_message) == ("failed", message)
            ended = one.command(command_id)
            assert (record.completed_at, record.duration_seconds) == (ended.completed_at, 3)
            assert one.last_status() == "failed"
        else:
            assert (record.status, record.completed_at) == ("running", None)
            assert one.last_status() == "running"


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("how", ["result", "timeout"])
@pytest.mark.parametrize(
    ("kind", "payload", "kept"),
    [
        (CommandType.DISCOVER_DB, {"host": "db", "password": "s3cret"}, {"host": "db"}),
        (
            CommandType.DELETE_STORAGE_OBJECT,
            {"storagePath": "a", "targetConfig": {"secretAccessKey": "s3cret"}},
            {"storagePath": "a"},
        ),
    ],
)
def test_what_is_left_of_a_payload(
    profile: str, how: str, kind: CommandType, payload: Any, kept: Any
) -> None:
    """Where payloads forget, no secret is in the database once its command has ended."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id = queue.enqueue(one.state, one.node_id, kind, payload, one.now)
        assert one.poll()["payload"] == payload
        if how == "result":
            one.result(command_id, {"success": True})
        else:
            one.wait(TIMEOUT_S + 1)
            one.tick()

        ended = one.command(command_id)
        assert ended.completed_at is not None
        forgets = profile in profiles("payloads_forget_secrets")
        assert json.loads(ended.payload) == (kept if forgets else payload)


# --- timeouts -------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_a_command_that_nobody_claims(profile: str) -> None:
    """It waits for ever in v2.0.0, and times out later, with what it was for."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        one.wait(TIMEOUT_S - 1)
        one.tick()
        assert one.command(command_id).status == "pending"
        one.wait(2)

        one.tick()

        times_out = profile in profiles("pending_times_out")
        ended = ("timeout", "failed") if times_out else ("pending", "running")
        assert (one.command(command_id).status, one.record(record_id).status) == ended
        marks = profile in profiles("failures_mark_task")
        assert one.last_status() == ("failed" if marks else "running")


@pytest.mark.parametrize("profile", profiles("pending_times_out"))
@pytest.mark.parametrize(("hours", "as_text"), [(8, "never early"), (-8, "at once")])
def test_the_zone_of_a_master_and_its_pending_commands(
    profile: str, hours: int, as_text: str
) -> None:
    """Releases compare local text with UTC: hours late to the east, at once to the west."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()
        created = db_text(one.clock.ns, hours * 3600)
        one.database.update(Command, command_id, created_at=created)
        one.wait(TIMEOUT_S / 2)
        early = timeouts.stale_commands(one.state, one.now)
        one.wait(TIMEOUT_S)
        due = timeouts.stale_commands(one.state, one.now)

        if profile in profiles("pending_age_as_text"):
            assert (len(early), len(due)) == ((0, 0) if as_text == "never early" else (1, 1))
        else:
            assert (len(early), len(due)) == (0, 1)


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("sign", ["none", "heartbeats", "log"])
@pytest.mark.parametrize("what", ["backup", "restore"])
def test_what_keeps_a_running_command_alive(profile: str, sign: str, what: str) -> None:
    """Nothing in v2.0.0; its node or its record later; its record alone in strict."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, row_id = one.started() if what == "backup" else one.restoring()
        one.poll()
        path = "records" if what == "backup" else "restores"
        one.wait(TIMEOUT_S - 1)
        if sign == "heartbeats":
            one.beat()
        elif sign == "log":
            one.data("POST", f"/api/agent/{path}/{row_id}", {"logAppend": "x"}, agent=one.token)
        one.wait(2)
        one.tick()

        lease = PROFILES[profile].lease
        alive = (sign == "log" and lease is not Lease.NONE) or (
            sign == "heartbeats" and lease is Lease.NODE_OR_RECORD
        )
        assert one.command(command_id).status == ("dispatched" if alive else "timeout")
        one.wait(TIMEOUT_S)
        one.tick()
        assert one.command(command_id).status == "timeout"


LEASED: Final = [name for name in EVERY if PROFILES[name].lease is not Lease.NONE]


@pytest.mark.parametrize("profile", LEASED)
@pytest.mark.parametrize("age_ns", [0, 1])
def test_a_sign_of_life_exactly_at_the_threshold(profile: str, age_ns: int) -> None:
    """The sign must be younger than the timeout, strictly, whatever zone it is written in."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        one.poll()
        one.database.execute("UPDATE nodes SET status = 'offline'")
        one.wait(2 * TIMEOUT_S)
        now = one.now
        sign_ns = now.ns - round(TIMEOUT_S * NS) + age_ns
        one.database.update(Record, record_id, updated_at=db_text(sign_ns, 8 * 3600))

        stale = [command.id for command in timeouts.stale_commands(one.state, now)]

        assert stale == ([] if age_ns else [command_id])


@pytest.mark.parametrize("profile", profiles("pending_times_out"))
@pytest.mark.parametrize("age_ns", [0, 1])
def test_a_pending_command_exactly_as_old_as_the_timeout(profile: str, age_ns: int) -> None:
    """It must be older, strictly, as a dispatched one must."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()
        now = one.now
        created = db_text(now.ns - round(TIMEOUT_S * NS) - age_ns)
        one.database.update(Command, command_id, created_at=created)

        stale = [command.id for command in timeouts.stale_commands(one.state, now)]

        assert stale == ([command_id] if age_ns else [])


@pytest.mark.parametrize("profile", LEASED)
def test_an_offline_node_gives_no_sign_of_life(profile: str) -> None:
    """Its last heartbeat counts for nothing once the monitor has marked it."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, _ = one.started()
        one.poll()
        one.wait(TIMEOUT_S - 60)
        one.beat()
        one.wait(61)

        one.tick()

        assert one.command(command_id).status == "timeout"


@pytest.mark.parametrize("profile", LEASED)
@pytest.mark.parametrize("spoilt", ["finished", "gone", "unreadable", "a listing", "pending"])
def test_what_cannot_be_kept_alive(profile: str, spoilt: str) -> None:
    """Only a claimed command with a running record has a lease, however lively its node is."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        if spoilt != "pending":
            one.poll()
        one.wait(TIMEOUT_S + 1)
        one.beat()
        one.database.update(Record, record_id, updated_at=one.now.local)
        if spoilt == "finished":
            one.finish(record_id)
        elif spoilt == "gone":
            one.database.delete(Record, record_id)
        elif spoilt == "unreadable":
            one.database.update(Command, command_id, payload="x")
        elif spoilt == "a listing":
            one.database.update(Command, command_id, type="list_dir")
        before = one.database.get(Record, record_id)

        one.tick()

        assert one.command(command_id).status == "timeout"
        if spoilt != "pending":
            assert one.database.get(Record, record_id) == before


@pytest.mark.parametrize("profile", EVERY)
def test_a_timeout_leaves_alone_what_ended_meanwhile(profile: str) -> None:
    """Between finding a stale command and ending it, its result may come; then that counts."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        one.poll()
        one.wait(TIMEOUT_S + 1)
        stale = one.command(command_id)
        one.finish(record_id)
        one.result(command_id, {"success": True})

        assert not timeouts.expire_command(one.state, stale, one.now)

        assert one.command(command_id).status == "succeeded"
        assert one.record(record_id).status == "success"


@pytest.mark.parametrize("profile", [name for name in EVERY if name != "strict"])
def test_a_timeout_that_comes_too_late_fails_no_record(profile: str) -> None:
    """A record that its command's result left running is not failed by a timeout that lost."""
    with cluster(profile) as made:
        one = Agents.of(made)
        command_id, record_id = one.started()
        one.poll()
        one.wait(TIMEOUT_S + 1)
        stale = one.command(command_id)
        one.result(command_id, {"success": True})

        timeouts.expire_command(one.state, stale, one.now)

        assert one.record(record_id).status == "running"


@pytest.mark.parametrize("profile", EVERY)
def test_a_timeout_and_the_task(profile: str) -> None:
    """The task's last status says "running" for ever, but in strict."""
    with cluster(profile) as made:
        one = Agents.of(made)
        _, record_id = one.started()
        one.poll()
        one.wait(TIMEOUT_S + 1)
        one.tick()

        assert one.record(record_id).status == "failed"
        marks = profile in profiles("failures_mark_task")
        assert one.last_status() == ("failed" if marks else "running")


# --- tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_two_tokens_in_one_heartbeat(profile: str) -> None:
    """The body's counts before v2.4.0, the header's since; either alone always does."""
    with cluster(profile) as made:
        one = Agents.of(made)
        beta = nodes.insert(one.database, "beta", "b" * 64, one.now)

        both = one.data(
            "POST", "/api/agent/heartbeat", {"token": "b" * 64, "hostname": "h"}, agent=one.token
        )

        header_first = profile in profiles("heartbeat_header_first")
        assert both["nodeId"] == (one.node_id if header_first else beta)
        beaten = one.database.get(Node, both["nodeId"])
        assert beaten is not None
        assert beaten.hostname == "h"
        body = b'{"token": "%s"}' % (b"b" * 64)
        alone = trio.run(one.master.handle, Request("POST", "/api/agent/heartbeat", {}, body))
        assert json.loads(alone.body)["data"]["nodeId"] == beta


@pytest.mark.parametrize("profile", EVERY)
def test_what_a_silent_agent_is_told_of_itself(profile: str) -> None:
    """Between its silence and the monitor's next look it is still online, but in strict."""
    with cluster(profile) as made:
        one = Agents.of(made)
        one.wait(46)

        seen = one.data("GET", "/api/v1/agent/self", agent=one.token)["status"]

        everywhere = profile in profiles("presence_everywhere")
        assert seen == ("offline" if everywhere else "online")


def test_a_restore_that_outlives_its_command() -> None:
    """Strict fails it as it fails a backup."""
    with cluster("strict") as made:
        one = Agents.of(made)
        command_id, restore_id = one.restoring()
        one.poll()
        one.wait(5)
        one.result(command_id, OTHER_END)

        restore = one.database.get(Restore, restore_id)
        assert restore is not None
        assert (restore.status, restore.error_message) == ("failed", "no")
        assert restore.duration_seconds == 5
