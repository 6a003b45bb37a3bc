"""Mistakes in the steps of a scenario."""

from pathlib import Path

import pytest
from stories import (
    HEAD,
    LETTERS,
    UNIT,
    check_mistake,
    mistakes,
)


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        ("«poll", "expected a step, a mapping, got 'poll'", None),
        ("«{}", "expected a step with a verb, got an empty mapping", None),
        ("«as: x", "expected a step with a verb, got 'as'", None),
        ("«pol: alpha", "expected a verb, got 'pol'", "did you mean 'poll'?"),
        (
            "«pol: alpha\n    expect: {status: 200}",
            "expected a verb, got 'pol'",
            "did you mean 'poll'?",
        ),
        ("poll: alpha\n    «wait: 1s", "expected one verb a step, got 'poll' and 'wait'", None),
        (
            "poll: alpha\n    «expct: {status: 1}",
            "expected a key beside 'poll' (as, expect, background, times, token, lose, clauses), got 'expct'",
            "did you mean 'expect'?",
        ),
        (
            "poll: alpha\n    lose: «all",
            "expected what gets lost (request, reply), got 'all'",
            None,
        ),
        (
            "poll: alpha\n    lose: reply\n    «expect: {status: 200}",
            "expected no 'expect' beside 'lose', where no answer comes",
            None,
        ),
        (
            "master_clock: «{jump: 1s}",
            "expected 'clocks: [virtual]' where the master's clock is set",
            "a server process has the clock of its machine",
        ),
        (
            "tamper: {delete: «node}",
            "expected a table of the master's database, got 'node'",
            "did you mean 'nodes'?",
        ),
        (
            "tamper: {update: nodes, set: {name: a}, where: {«sttus: a}}",
            "expected a column that nodes has in some release, got 'sttus'",
            "did you mean 'status'?",
        ),
        ("wait: 1s\n    «as: x", "expected 'as' beside calls only, got it beside 'wait'", None),
        (
            "poll: alpha\n    «agent: alpha",
            "expected 'agent' inside 'poll', got it beside it",
            "write 'poll: {agent: …}'",
        ),
        (
            "update_record: {agent: alpha, record: backup, «expect: {}}",
            "expected 'expect' beside 'update_record', got it inside it",
            None,
        ),
        (
            "list_dir: {agent: alpha, «pth: /}",
            "expected a key of 'list_dir' (agent, path), got 'pth'",
            "did you mean 'path'?",
        ),
        ("get_task: «{agent: alpha}", "expected 'get_task' to have 'task', which is missing", None),
        ("result: «alpha", "expected the keys of 'result', a mapping, got 'alpha'", None),
        (
            "poll: «alpah",
            "expected the name of a declared agent (alpha, swarm), got 'alpah'",
            "did you mean 'alpha'?",
        ),
        (
            "poll: «swarm-3",
            "expected the name of a declared agent (alpha, swarm), got 'swarm-3'",
            "did you mean 'swarm'?",
        ),
        (
            "poll: «swarm",
            "expected one agent, got the group 'swarm'",
            "name one: swarm-1 to swarm-2",
        ),
        (
            "poll: «5",
            "expected the name of a declared agent, got the number 5",
            'write "5" if text is meant',
        ),
        (
            "run: «nightyl",
            "expected the name of a declared task (nightly), got 'nightyl'",
            "did you mean 'nightly'?",
        ),
        (
            "delete: {target: «dsk}",
            "expected the name of a declared target (disk), got 'dsk'",
            "did you mean 'disk'?",
        ),
        (
            "restore: «bakup",
            "expected a backup record: a name given with 'as' in an earlier step, got 'bakup'",
            "did you mean 'backup'?",
        ),
        (
            "result: {agent: alpha, command: «true}",
            "expected a command: a name given with 'as', got true",
            'write "true" if text is meant',
        ),
        (
            "poll: alpha\n    as: «nightly",
            "expected a name that is free, got 'nightly', which is declared already",
            None,
        ),
        (
            "poll: alpha\n    as: «backup",
            "expected a new name, got 'backup', which is given in line 7",
            None,
        ),
        ("poll: alpha\n    as: «A", f"expected a name {LETTERS}, got 'A'", None),
        ("poll: alpha\n    as: «[a]", "expected a name, got a list", None),
        (
            "poll: alpha\n    clauses: [«TMO-22]",
            "expected a clause (CMD-10, TMO-1, TMO-2), got 'TMO-22'",
            "did you mean 'TMO-2'?",
        ),
        (
            "poll: alpha\n    times: «0",
            "expected a number of calls from 1 to 1000, got the number 0",
            None,
        ),
        (
            "poll: alpha\n    as: x\n    background: «1",
            "expected true or false, got the number 1",
            None,
        ),
        (
            "poll: alpha\n    «background: true",
            "expected 'as' beside 'background', for an 'answer' step to name it",
            None,
        ),
        (
            "poll: alpha\n    as: x\n    background: true\n    «expect: {status: 200}",
            "expected no 'expect' beside 'background', where no answer is waited for",
            "write 'answer: {of: …, expect: …}'",
        ),
        (
            "poll: alpha\n    token: «5",
            "expected text, got the number 5",
            'write "5" if text is meant',
        ),
        (
            "answer: «command",
            "expected the answer of a call in the background, got 'command'",
            "write 'background: true' in line 9",
        ),
        (
            "answer: «comand",
            "expected an answer: a name given with 'as' in an earlier step, got 'comand'",
            "did you mean 'command'?",
        ),
        ("delete: «{}", "expected one of agent, task, target, record, got none", None),
        (
            "delete: {task: nightly, «agent: alpha}",
            "expected one of agent, task, target, record, got 'task' and 'agent'",
            None,
        ),
        (
            "tamper: «{set: {name: a}}",
            "expected one of insert, update, delete, freeze, got none",
            None,
        ),
        (
            "tamper: «{update: nodes}",
            "expected 'set' with the columns to write, which is missing",
            None,
        ),
        ("tamper: {delete: nodes, «set: {name: a}}", "expected no 'set' with 'delete'", None),
        ("tamper: {freeze: nodes, «set: {name: a}}", "expected no 'set' with 'freeze'", None),
        (
            "tamper: {insert: nodes, set: {name: a}, «where: {name: a}}",
            "expected no 'where' with 'insert'",
            None,
        ),
        (
            "tamper: {delete: nodes, «as: x}",
            "expected 'as' with 'insert' only: it names the new row",
            None,
        ),
        (
            "admin: {method: GET, path: /, json: 1, «body: x}",
            "expected 'json' or 'body', got both",
            None,
        ),
        (
            "admin: {method: GET, path: /, json:« }",
            "expected a value, got nothing",
            "write null if that is meant",
        ),
        (
            "admin: {method: GET, path: /, headers: «[]}",
            "expected fields, a mapping, got a list",
            None,
        ),
        (
            "admin: {method: GET, path: /, json: {«'${a}': 1}}",
            "expected a key without references, got '${a}'",
            None,
        ),
        ("together: «[]", "expected steps, got an empty list", None),
        ("for_each: {in: «[], do: [poll: alpha]}", "expected items, got an empty list", None),
        ("for_each: «{in: [1]}", "expected 'for_each' to have 'do', which is missing", None),
        (
            "for_each: «{do: [poll: alpha]}",
            "expected 'for_each' to have 'in', which is missing",
            None,
        ),
        ("until: «5m", "expected the keys of 'until', a mapping, got '5m'", None),
        ("wait: «10", f"{UNIT}, got the number 10", "write 10ms, 10s, 10m, 10h or 10d"),
        ("wait: «true", f"{UNIT}, got true", None),
        ("wait: «[1s]", f"{UNIT}, got a list", None),
        (
            "wait: «offline_scan - 1m",
            (
                "expected a duration of more than 0 seconds, got 'offline_scan - 1m', which is -45 s"
                " with these timers"
            ),
            None,
        ),
        (
            "wait: «ofline_scan",
            (
                "expected a literal or the name of a timer (command_timeout, command_scan,"
                " offline_after, offline_scan, list_dir_timeout, discover_timeout, token_grace,"
                " cron_second, event_heartbeat, version_scan, version_notice, metrics_scan,"
                " heartbeat_interval, poll_interval),"
                " got 'ofline_scan'"
            ),
            "did you mean 'offline_scan'?",
        ),
    ],
)
def test_mistake_in_a_step(tmp_path: Path, step: str, message: str, hint: str | None) -> None:
    """Each mistake in a step is shown once, where it is."""
    check_mistake(tmp_path, f"{HEAD}  - {step}\n", message, hint)


def test_key_of_a_verb_beside_it_is_shown_with_what_is_missing(tmp_path: Path) -> None:
    """The two errors of one slip name the same key."""
    errors = mistakes(tmp_path, HEAD + "  - for_each: {in: [1]}\n    do: [poll: alpha]\n")

    assert [(error.message, error.hint) for error in errors] == [
        ("expected 'for_each' to have 'do', which is missing", None),
        ("expected 'do' inside 'for_each', got it beside it", "write 'for_each: {do: …}'"),
    ]
