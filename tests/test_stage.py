"""What the verbs of scenario files do, one short story each; and how stories fail."""

import json
from collections.abc import Awaitable

import pytest
from scenes import play_text

from harness.calls import CALLS
from harness.verdict import Outcome, Verdict
from master.core import Master
from master.protocol.exchange import Request, Response, collect

HEAD = """
scenario: A story of one verb
clauses: [CMD-1]
agents: {alpha: manual, beta: manual}
tasks: {nightly: {agent: alpha}}
"""


VIRTUAL = "clocks: [virtual]\nbecause: A story of the stage.\n"


def play(steps: str, head: str = HEAD) -> Outcome:
    return play_text(head + VIRTUAL + "steps:\n" + steps)[0]


STORIES = {
    "claims": """
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
    as: cmd
    expect: {command: {type: run_task, payload: {recordId: "${backup.id}"}}}
  - poll: alpha
    expect: {command: null}
  - result: {agent: alpha, command: cmd, result: {a: [1]}}
  - expect: {command: cmd, status: succeeded, result: {a: [1]}, completedAt: {not: null}}
  - expect: {commands: {agent: alpha, status: succeeded}, count: 1}
""",
    "reports": """
  - heartbeat: alpha
  - run: nightly
    as: backup
  - update_record: {agent: alpha, record: backup, status: success, fileSize: 7}
  - expect: {record: backup, status: success, fileSize: 7}
  - restore: backup
    as: again
  - get_restore: {agent: alpha, restore: again}
    expect: {data: {restoreRecordId: "${again.id}"}}
  - update_restore: {agent: alpha, restore: again, status: failed, errorMessage: full}
  - expect: {restore: again, status: failed, errorMessage: full}
  - expect: {restores: {status: failed}, count: 1}
  - expect: {records: {task: nightly}, count: 1, any: {status: success}}
  - expect: {task: nightly, lastStatus: success}
  - get_task: {agent: alpha, task: nightly}
    expect: {data: {name: "${nightly.name}"}}
  - self: alpha
    expect: {data: {id: "${alpha.id}", status: online}}
""",
    "waits for an answer": """
  - heartbeat: alpha
  - list_dir: {agent: alpha, path: /data}
    as: listing
    background: true
  - wait: 1s
  - poll: alpha
    as: cmd
    expect: {command: {type: list_dir, payload: {path: /data}}}
  - result: {agent: alpha, command: cmd, result: {entries: [{name: a, path: /data/a}]}}
  - answer: {of: listing, expect: {data: [{name: a, isDir: false, size: 0}]}}
  - discover: {agent: alpha, host: db}
    as: found
    background: true
  - answer: {of: found, expect: {status: 504, code: AGENT_COMMAND_TIMEOUT}}
""",
    "rotates and moves": """
  - heartbeat: alpha
  - rotate: alpha
  - self: {agent: alpha}
    token: ${alpha.previous_token}
  - self: alpha
  - get_task: {agent: beta, task: nightly}
    expect: {status: 401}
  - move_task: {task: nightly, agent: beta}
  - get_task: {agent: beta, task: nightly}
    expect: {status: 200}
  - delete: {task: nightly}
  - expect: {task: nightly, exists: false}
""",
    "does many things at once": """
  - heartbeat: alpha
  - run: nightly
  - poll: alpha
    times: 5
    as: polls
  - expect: {answers: polls, where: {data: {command: {not: null}}}, count: 1}
  - together:
      - poll: alpha
      - heartbeat: beta
  - for_each:
      in: [{path: /a, status: 404}, {path: /api/health, status: 200}]
      do:
        - request: {method: GET, path: "${each.path}"}
          expect: {status: "${each.status}"}
  - for_each:
      in: [alpha, beta]
      do:
        - heartbeat: ${each}
        - expect: {agent: "${each}", status: online}
  - admin: {method: GET, path: "/api/nodes?x=1"}
    expect: {data: {length: 3}}
""",
    "loses calls": """
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
    lose: request
    as: first
  - poll: alpha
    lose: reply
    as: second
  - poll: alpha
    expect: {command: null}
  - expect: {answers: first, items: [{no_reply: lost, status: null}]}
  - expect: {commands: {agent: alpha, status: dispatched}, count: 1}
  - poll: beta
    lose: request
    background: true
    as: third
  - answer: {of: third, expect: {no_reply: lost}}
""",
    "restarts the master": """
  - heartbeat: alpha
  - run: nightly
    as: backup
  - list_dir: {agent: alpha}
    background: true
    as: listing
  - wait: 1s
  - poll: alpha
    as: cmd
  - restart_master:
      for: 10s
      do:
        - poll: alpha
          expect: {no_reply: refused}
        - wait: 5s
        - poll: alpha
          as: refused
          expect: {no_reply: {one_of: [refused, lost]}}
  - answer: {of: listing, expect: {no_reply: lost}}
  - expect: {answers: refused, count: 1}
  - self: alpha
  - result: {agent: alpha, command: cmd}
  - expect: {command: cmd, status: succeeded}
  - restart_master: {}
  - expect: {record: backup, status: running}
""",
    "sets the master's clock": """
  - heartbeat: alpha
  - master_clock: {jump: 2d}
  - expect: {agent: alpha, lastSeen: {matches: 2026-01-01}}
  - heartbeat: alpha
  - expect: {agent: alpha, lastSeen: {matches: 2026-01-03}}
  - master_clock: {back: 1d}
  - heartbeat: alpha
  - expect: {agent: alpha, lastSeen: {matches: 2026-01-02}}
""",
    "tampers": """
  - tamper: {insert: agent_commands, set: {node_id: "${alpha.id}", type: odd, status: pending, payload: {a: 1}}, as: row}
  - poll: alpha
    expect: {command: {id: "${row.id}", type: odd, payload: {a: 1}}}
  - tamper: {update: agent_commands, set: {status: failed}, where: {id: "${row.id}"}}
  - expect: {command: row, status: failed}
  - tamper: {delete: agent_commands, where: {id: "${row.id}"}}
  - expect: {command: row, exists: false}
""",
    "tampers with what is frozen": """
  - tamper: {insert: agent_commands, set: {node_id: "${alpha.id}", type: odd, status: pending, payload: {}}, as: first}
  - tamper: {insert: agent_commands, set: {node_id: "${alpha.id}", type: odd, status: pending, payload: {}}, as: second}
  - tamper: {freeze: agent_commands, where: {id: "${first.id}", type: odd}}
  - poll: alpha
    expect: {status: 500}
  - expect: {command: first, status: pending}
  - tamper: {delete: agent_commands, where: {id: "${first.id}"}}
  - poll: alpha
    expect: {command: {id: "${second.id}"}}
""",
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    """Each verb does what its line in the vocabulary says."""
    outcome = play(STORIES[name])

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


WRONG = {
    "an answer of another status": (
        "  - poll: {agent: alpha}\n    token: nonsense\n    expect: {status: 200}\n",
        "status",
    ),
    "an unexpected refusal": (
        "  - run: nightly\n  - heartbeat: alpha\n    expect: {status: 200}\n",
        "status",
    ),
    "another state": ("  - expect: {agent: alpha, status: online}\n", "agent.status"),
    "another count": ("  - expect: {records: {}, count: 1}\n", "records.count"),
    "something that is not there": ("  - expect: {record: 99, status: running}\n", "record"),
    "something that should not be there": ("  - expect: {task: nightly, exists: false}\n", "task"),
    "too late": (
        "  - until: {expect: {agent: alpha, status: online}, within: 1m}\n",
        "agent.status",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_story_that_does_not_hold_fails(name: str) -> None:
    """The failure names the step's place, what was expected and what was seen."""
    steps, where = WRONG[name]
    outcome = play(steps)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.broken == ("CMD-1",)
    assert outcome.failure is not None
    assert outcome.failure.expected.startswith(where)
    assert ":" in outcome.failure.place
    assert outcome.failure.step.strip().startswith(steps.split("\n")[0].strip(" -")[:5])


def test_a_failure_is_about_the_clauses_of_its_step() -> None:
    """A step's own clauses go before the scenario's, and what held before still counts."""
    outcome = play(
        "  - heartbeat: alpha\n    expect: {status: 200}\n"
        "  - expect: {agent: alpha, status: offline}\n    clauses: [NODE-2]\n"
    )

    assert outcome.broken == ("NODE-2",)
    assert outcome.tested == {"CMD-1": 1}


def test_until_waits_no_longer_than_it_needs() -> None:
    """It ends as soon as things are as said."""
    outcome = play(
        "  - heartbeat: alpha\n  - until: {expect: {agent: alpha, status: offline}, within: 5m}\n"
    )

    assert outcome.verdict is Verdict.PASS
    assert 45 <= outcome.elapsed_s <= 61


def test_a_behaviour_that_cannot_be_is_told() -> None:
    """An option out of range does not hang the run; the scenario is not set up, and says why."""
    head = HEAD.replace("beta: manual", "beta: {behaviour: hostile, ids: 0}")
    outcome = play("  - expect: {agent: alpha, status: offline}\n", head)

    assert outcome.verdict is Verdict.UNKNOWN
    assert not outcome.set_up
    assert "ids must be at least 1" in (outcome.reason or "")


def test_the_administrator_outlasts_a_log_in() -> None:
    """After days of waiting, looking at things still works."""
    outcome = play("  - wait: 3d\n  - expect: {agent: alpha, status: offline}\n")

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


def test_an_agent_is_crashed_and_started() -> None:
    """A dead agent sends nothing; a started one beats at once."""
    head = HEAD.replace("beta: manual", "gamma: {behaviour: prompt, start: later}")
    outcome = play(
        """
  - wait: 1m
  - expect: {agent: gamma, status: offline}
  - start: gamma
  - until: {expect: {agent: gamma, status: online}, within: 1s}
  - crash: gamma
  - wait: 1m
  - expect: {agent: gamma, status: offline}
  - start: gamma
  - until: {expect: {agent: gamma, status: online}, within: 1s}
""",
        head,
    )

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


def test_the_history_tells_the_phases_and_hides_the_tokens() -> None:
    """What is written of a run reads from its beginning, and holds no token."""
    outcome, history = play_text(HEAD + "steps:\n  - self: alpha\n    expect: {status: 200}\n")
    written = b"".join(history.lines()).decode()
    notes = [json.loads(line).get("note") for line in written.splitlines()]

    assert outcome.verdict is Verdict.PASS
    assert notes[1] == "phase: prepare"  # after the header
    assert "phase: stress" in notes
    assert notes[-1] == "phase: judge"
    assert "[redacted]" in written


def test_a_name_that_is_not_there_fails_the_step() -> None:
    """A reference to nothing is told as what it is, not as a fault of muster."""
    outcome = play(
        "  - poll: alpha\n    as: cmd\n  - self: {agent: alpha}\n    token: ${cmd.id}\n    expect: {status: 200}\n"
    )

    assert outcome.verdict is Verdict.FAIL
    assert outcome.failure is not None
    assert "cmd" in outcome.failure.seen


def test_a_lost_answer_that_nobody_speaks_of_decides_nothing() -> None:
    """No reply where one was expected is no failure of the master."""
    outcome = play(
        """
  - restart_master:
      do:
        - poll: alpha
          expect: {status: 200}
"""
    )

    assert outcome.verdict is Verdict.UNKNOWN
    assert "the connection was refused" in (outcome.reason or "")


def test_an_answer_where_none_should_come_fails() -> None:
    """It is told with the answer that came."""
    outcome = play("  - poll: alpha\n    expect: {no_reply: lost}\n")

    assert outcome.verdict is Verdict.FAIL
    assert outcome.failure is not None
    assert outcome.failure.expected == 'no_reply: "lost"'
    assert "the answer was 200" in outcome.failure.seen


class Careless(Master):
    """Answers heartbeats before it commits what they change."""

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        database = self.state.database
        if request.path == "/api/agent/heartbeat":
            database.execute("BEGIN")
        return super().answer(request)


def test_a_crash_loses_what_was_not_committed() -> None:
    """A master that answers before it commits is found out by its own death."""
    text = (
        HEAD
        + """
steps:
  - heartbeat: alpha
  - expect: {agent: alpha, status: online}
  - restart_master: {}
  - expect: {agent: alpha, status: online}
"""
    )

    assert play_text(text)[0].verdict is Verdict.PASS
    outcome, _ = play_text(text, make_master=Careless)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.failure is not None
    assert ":11:" in outcome.failure.place


def test_a_crash_forgets_what_is_in_memory_only() -> None:
    """The live log of a restore is gone, and what the database has is shown."""
    outcome = play(
        """
  - heartbeat: alpha
  - run: nightly
    as: backup
  - update_record: {agent: alpha, record: backup, status: success}
  - restore: backup
    as: again
  - update_restore: {agent: alpha, restore: again, logAppend: "one\\n"}
  - expect: {restore: again, logEvents: {length: 2}}
  - restart_master: {}
  - expect: {restore: again, logEvents: {absent: true}, logContent: {contains: one}}
"""
    )

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


def test_a_tamper_that_finds_nothing_is_a_mistake_of_the_scenario() -> None:
    """It is nobody's failure, and says so."""
    outcome = play(
        """
  - tamper: {update: nodes, set: {status: online}, where: {id: 99}}
  - expect: {agent: alpha, status: offline}
"""
    )

    assert outcome.verdict is Verdict.UNKNOWN
    assert "a mistake of the scenario: there is no row in nodes with" in (outcome.reason or "")
    assert ":10:" in (outcome.reason or "")


@pytest.mark.parametrize(
    ("step", "broken"),
    [
        ("- run: nightly", ("CMD-1",)),
        ("- run: nightly\n    clauses: [ADM-2]", ("ADM-2",)),
        ("- run: nightly\n    expect: {status: 200}", ("CMD-1", "OFF-1")),
        ("- until: {expect: {agent: alpha, status: online}, within: 1s}", ("CMD-1", "OFF-1")),
    ],
)
def test_a_failed_step_is_charged_to_what_it_speaks_of(step: str, broken: tuple[str, ...]) -> None:
    """Its own clauses, all of the scenario's if it expects something, else the first."""
    head = HEAD.replace("[CMD-1]", "[CMD-1, OFF-1]")
    outcome = play(f"  {step}\n  - expect: {{agent: alpha, status: offline}}\n", head)

    assert outcome.verdict is Verdict.FAIL
    assert outcome.broken == broken


class Receiving(Master):
    """Takes every upload, and says what came; has one backup to download."""

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        if request.path.endswith("/artifact"):
            return Response(200, b"a backup", headers=(("Content-Type", "application/x"),))
        if "/artifacts/" in request.path:
            return self._received(request)
        return super().answer(request)

    def streams(self, method: str, path: str) -> bool:
        return "/artifacts/" in path or super().streams(method, path)

    async def _received(self, request: Request) -> Response:
        body = request.body or await collect(request.chunks())
        data = {"path": request.path, "body": body.decode("latin-1"), **request.headers}
        return Response(200, json.dumps({"code": "OK", "data": data}).encode())


UPLOAD_HEAD = HEAD.replace(
    "tasks:", "targets: {shelf: {type: local_disk, config: {masterRelay: true}}}\ntasks:"
).replace("{nightly: {agent: alpha}}", "{nightly: {agent: alpha, targets: [shelf]}}")
SHA256_OF_TEXT = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def test_an_upload_is_right_unless_it_is_said_otherwise() -> None:
    """Key, hash and length are computed; each can be replaced, or left out."""
    text = (
        UPLOAD_HEAD
        + rf"""
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - put_artifact: {{agent: alpha, record: backup, target: shelf, content: foo}}
    expect:
      data:
        path: "/api/agent/records/${{backup.id}}/artifacts/${{shelf.id}}"
        body: foo
        x-backupx-object-key: "BackupX/file/260101/records/${{backup.id}}/backup.tar.gz"
        x-backupx-sha256: {SHA256_OF_TEXT}
        content-type: application/octet-stream
  - put_artifact: {{agent: alpha, record: backup, target: shelf, size: 300, file: a.tar}}
    expect: {{data: {{body: {{length: 300}}, x-backupx-object-key: {{matches: '/a\.tar$'}}}}}}
  - put_artifact: {{agent: alpha, record: 7, target: shelf, key: a, sha256: null, length: null}}
    expect: {{data: {{x-backupx-object-key: a, x-backupx-sha256: {{absent: true}}, content-length: {{absent: true}}}}}}
  - put_artifact: {{agent: alpha, record: backup, target: shelf, content: foo, length: 3}}
    times: 3
    expect: {{data: {{body: foo, content-length: "3"}}}}
  - put_artifact: {{agent: alpha, record: backup, target: shelf, content: foo, length: 4}}
    expect: {{no_reply: lost}}
  - get_artifact: {{agent: alpha, restore: 1}}
    expect: {{body: a backup, size: 8, headers: {{content-type: application/x}}}}
"""
    )
    outcome, _ = play_text(text, make_master=Receiving)

    assert outcome.failure is None
    assert outcome.reason is None
    assert outcome.verdict is Verdict.PASS


def test_a_disk_is_where_the_master_may_write() -> None:
    """A local target lies below the scratch folder, unless it says where."""
    head = HEAD.replace("tasks:", "targets: {shelf: {type: local_disk}}\ntasks:")
    outcome = play(
        """
  - admin: {method: GET, path: "/api/storage-targets/${shelf.id}"}
    expect: {data: {config: {basePath: "${scratch}/shelf"}}}
""",
        head,
    )

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


class Broken(Master):
    """Its loops end at once."""

    async def run_monitors(self) -> None:
        raise LookupError("no such loop")


def test_a_fault_of_muster_costs_one_scenario() -> None:
    """It is told with its place, and is nobody's failure."""
    outcome, _ = play_text(
        HEAD + "steps:\n  - wait: 1s\n  - expect: {agent: alpha, status: offline}\n",
        make_master=Broken,
    )

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.fault
    assert "a fault of muster: LookupError: no such loop at test_stage.py:" in outcome.reason


def test_a_fault_in_a_step_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario says what happened; a run with one ends with its own exit code."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("by a slip")

    monkeypatch.setitem(CALLS, "poll", fail)
    outcome = play("  - poll: alpha\n    expect: {status: 200}\n")

    assert outcome.fault
    assert "ZeroDivisionError: by a slip at test_stage.py" in (outcome.reason or "")


def test_a_scenario_can_be_played_where_it_does_not_apply() -> None:
    """What a release does otherwise makes it fail there."""
    text = HEAD.replace("clauses:", "profiles: [strict]\nclauses:") + STRICT_ONLY
    outcome, _ = play_text(text)

    assert outcome.verdict is Verdict.FAIL


STRICT_ONLY = """
steps:
  - heartbeat: alpha
  - run: nightly
  - run: nightly
    expect: {status: 400}
"""


def test_a_call_that_takes_long_on_virtual_time_is_no_slow_machine() -> None:
    """A refusal that was expected at once and came as a timeout is a failure, and known to be one."""
    outcome, _ = play_text(
        """
        scenario: A question is refused at once
        clauses: [RPC-14]
        agents: {alpha: manual}
        steps:
          - heartbeat: alpha
          - admin:
              method: POST
              path: /api/database/discover
              json: {nodeId: "${alpha.id}", type: mysql, host: h, port: 1, user: u, password: p}
            expect: {status: 400}
        """
    )

    assert outcome.verdict is Verdict.FAIL
    assert outcome.broken == ("RPC-14",)
