"""Mistakes in what a scenario expects, and in the names it uses."""

from pathlib import Path

import pytest
from stories import (
    HEAD,
    MARK,
    check_mistake,
    mistakes,
    read,
)

VERB_LIST = (
    "record, restore, task, agent, command, records, restores, commands, answers, events, calls,"
    " process, file, files"
)


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        (
            "expect: «5",
            "expected what to look at and what it must be, a mapping, got the number 5",
            None,
        ),
        (
            "expect: «{status: x}",
            f"expected one thing to look at ({VERB_LIST}), got none",
            None,
        ),
        (
            "expect: «{recrd: x, status: x}",
            f"expected one thing to look at ({VERB_LIST}), got none",
            "did you mean 'record'?",
        ),
        (
            "expect: {record: backup, «agent: alpha}",
            f"expected one thing to look at ({VERB_LIST}), got 'record' and 'agent'",
            None,
        ),
        (
            "expect: «{record: backup}",
            "expected something said about the record, got nothing",
            None,
        ),
        (
            "expect: {record: backup, «statsu: running}",
            "expected a field that records have in some release, got 'statsu'",
            "did you mean 'status'?",
        ),
        (
            "expect: {agent: alpha, «lastSen: {absent: true}}",
            "expected a field that agents have in some release, got 'lastSen'",
            "did you mean 'lastSeen'?",
        ),
        (
            "expect: {records: {task: nightly}, where: {«filename: a}, count: 1}",
            "expected a field that records have in some release, got 'filename'",
            "did you mean 'fileName'?",
        ),
        (
            "expect: {records: {task: nightly}, all: {one_of: [{status: a}, {«stats: b}]}}",
            "expected a field that records have in some release, got 'stats'",
            "did you mean 'status'?",
        ),
        (
            "expect: {commands: {agent: alpha, «tpe: run_task}, count: 1}",
            "expected a field that commands have in some release, got 'tpe'",
            "did you mean 'type'?",
        ),
        (
            "expect: {records: {«agent: alpha, task: nightly}, count: 1}",
            "expected a field that records have in some release, got 'agent'",
            None,
        ),
        (
            "expect: {commands: «{}, count: 1}",
            "expected commands selected by agent, or 'clocks: [virtual]': a real master has those of other scenarios too",
            None,
        ),
        (
            "expect: {record: backup, exists: «false, status: x}",
            "expected nothing else about a record that is not there",
            None,
        ),
        (
            "expect: {records: {task: nightly}, «cout: 1}",
            "expected what can be said about several things (where, count, items, all, any, in_order, every), got 'cout'",
            "did you mean 'count'?",
        ),
        (
            "expect: {records: {task: «nigtly}, count: 1}",
            "expected the name of a declared task (nightly), got 'nigtly'",
            "did you mean 'nightly'?",
        ),
        (
            "expect: {records: «nightly, count: 1}",
            "expected which records to look at, a mapping, got 'nightly'",
            None,
        ),
        (
            "poll: alpha\n    expect: {«staus: 200}",
            (
                "expected a field of an answer (status, code, message, data, command, json, body,"
                " headers, size, sha256, no_reply), got 'staus'"
            ),
            "did you mean 'status'?",
        ),
        (
            "poll: alpha\n    expect: «200",
            "expected what the answer must be, a mapping, got the number 200",
            None,
        ),
        (
            "poll: alpha\n    expect: «{}",
            "expected what the answer must be, got an empty mapping",
            None,
        ),
        (
            "expect: {record: backup, logContent: {«at_lest: 5}}",
            "expected a field or a matcher, got 'at_lest'",
            "did you mean 'at_least'?",
        ),
        (
            "expect: {record: backup, logContent: {at_least: 1, «at_most: 5}}",
            "expected one matcher a mapping, got at_least and at_most",
            "write 'between' for both limits",
        ),
        (
            "expect: {record: backup, logContent: {not: 1, «length: 5}}",
            "expected one matcher a mapping, got not and length",
            None,
        ),
        (
            "expect: {record: backup, logContent: {matches: «'('}}",
            "expected a regular expression, got '(': missing ), unterminated subpattern at position 0",
            None,
        ),
        (
            "expect: {record: backup, logContent: {matches: «5}}",
            "expected a regular expression, got the number 5",
            'write "5" if text is meant',
        ),
        (
            "expect: {record: backup, logContent: {one_of: «x}}",
            "expected values to choose from, a list, got 'x'",
            None,
        ),
        (
            "expect: {record: backup, logContent: {at_least: «x}}",
            "expected a number, got 'x'",
            None,
        ),
        (
            "expect: {record: backup, logContent: {between: «[1]}}",
            "expected a list of two numbers, got a list of 1",
            None,
        ),
        (
            "expect: {record: backup, logContent: {between: «[2, 1]}}",
            "expected the smaller number first, got 2 and 1",
            None,
        ),
        (
            "expect: {record: backup, logContent: {length: «-1}}",
            "expected a length from 0 to 2147483648, got the number -1",
            None,
        ),
        (
            "expect: {record: backup, logContent: {takes: «1s}}",
            "expected a list of two durations, got '1s'",
            None,
        ),
        (
            "expect: {record: backup, logContent: {takes: [1s, «5x]}}",
            "expected numbers with the units d, h, m, s and ms, got '5x'",
            None,
        ),
        (
            "expect: {record: backup, logContent: {takes: «[command_scan, 29s]}}",
            "expected the shorter duration first, got command_scan and 29s",
            None,
        ),
        (
            "expect: {record: backup, logContent: {takes: [0s, «0s]}}",
            "expected a duration of more than 0 seconds, got '0s'",
            None,
        ),
        (
            "expect: {record: backup, logContent: {absent: «1}}",
            "expected true or false, got the number 1",
            None,
        ),
        (
            "expect: {record: backup, logContent: {exactly: «1}}",
            "expected all the keys and what each must be, a mapping, got the number 1",
            None,
        ),
        (
            "expect: {record: backup, logContent: {keys: [«1]}}",
            "expected text, got the number 1",
            'write "1" if text is meant',
        ),
        (
            "expect: {record: backup, logContent: {in_order: «[]}}",
            "expected texts in their order, got an empty list",
            None,
        ),
        (
            "expect: {record: backup, logContent: {all: [{json: {any: {not: {absent: «x}}}}]}}",
            "expected true or false, got 'x'",
            None,
        ),
    ],
)
def test_mistake_in_an_expectation(
    tmp_path: Path, step: str, message: str, hint: str | None
) -> None:
    """Each mistake in an expectation is shown once, where it is, however deep it stands."""
    check_mistake(tmp_path, f"{HEAD}  - {step}\n", message, hint)


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        (
            "poll: alpha\n    token: «x${alhpa.token}",
            "expected a reference to a name that is known here, got 'alhpa'",
            "did you mean 'alpha'?",
        ),
        (
            "poll: alpha\n    token: «a ${alpha.token",
            "expected a reference such as ${name.field}, got '${alpha.token'",
            None,
        ),
        (
            "poll: alpha\n    token: «a ${ } b",
            "expected a reference such as ${name.field}, got '${ }'",
            None,
        ),
        ("poll: «'${each}'", "expected ${each} inside a for_each only", None),
        (
            "poll: alpha\n    token: «${timing.comand_scan}",
            (
                "expected ${timing.<timer>} with a timer of command_timeout, command_scan,"
                " offline_after, offline_scan, list_dir_timeout, discover_timeout, token_grace,"
                " cron_second, event_heartbeat, version_scan, version_notice, metrics_scan,"
                " heartbeat_interval, poll_interval, got"
                " 'comand_scan'"
            ),
            "did you mean 'command_scan'?",
        ),
        (
            "poll: alpha\n    token: «${swarm.token}",
            "expected one agent, got the group 'swarm'",
            "name one: swarm-1 to swarm-2",
        ),
        (
            "run: nightly\n    token: «${later.token}\n    as: later",
            "expected a reference to a name that is known here, got 'later'",
            None,
        ),
        (
            "expect: {record: backup, logContent: [{b: {contains: «'${c.d}'}}]}",
            "expected a reference to a name that is known here, got 'c'",
            None,
        ),
    ],
)
def test_mistake_in_a_reference(tmp_path: Path, step: str, message: str, hint: str | None) -> None:
    """Each reference that leads nowhere is shown, wherever the text stands."""
    check_mistake(tmp_path, f"{HEAD}  - {step}\n", message, hint)


def test_name_of_a_loop_is_not_known_behind_it(tmp_path: Path) -> None:
    """A name given in the body of a loop is one name for many things."""
    loop = "  - for_each: {in: [1, 2], do: [{poll: alpha, as: inner}]}\n"

    check_mistake(
        tmp_path,
        f"{HEAD}{loop}  - result: {{agent: alpha, command: «inner}}\n",
        "expected a command: a name given with 'as' in an earlier step, got 'inner'",
        "'inner' is given in line 11, which is known only in its own loop, or happens at this same"
        " moment",
    )


def test_loops_can_use_one_name_but_not_one_from_outside(tmp_path: Path) -> None:
    """Loops beside one another are apart; a loop and what is around it are not."""
    body = "{poll: alpha, as: inner}"
    apart = f"  - for_each: {{in: [1], do: [{body}]}}\n" * 2
    inside = f"  - for_each: {{in: [1], do: [{body}, {{for_each: {{in: [2], do: [{body}]}}}}]}}\n"
    outside = "  - for_each: {in: [1], do: [{poll: alpha, as: command}]}\n"
    after = f"  - for_each: {{in: [1], do: [{body}]}}\n  - {body}\n"

    assert len(read(tmp_path, HEAD + apart).steps) == 4
    for text, name in ((inside, "inner"), (outside, "command"), (after, "inner")):
        (error,) = mistakes(tmp_path, HEAD + text)
        assert error.message.startswith(
            f"expected a new name, got {name!r}, which is given in line"
        )


def test_steps_of_one_moment_do_not_know_each_other(tmp_path: Path) -> None:
    """What one of several calls at once brings, the others cannot use; later steps can."""
    both = "  - together: [{run: nightly, as: second}, {restore: «second}]\n"
    later = "  - together: [{run: nightly, as: second}]\n  - restore: second\n"

    (error,) = mistakes(tmp_path, HEAD + both.replace(MARK, ""))
    assert error.message.endswith("in an earlier step, got 'second'")
    assert error.place.column == both.index(MARK) + 1
    assert len(read(tmp_path, HEAD + later).steps) == 4


def test_row_of_the_database_is_no_answer(tmp_path: Path) -> None:
    """What a `tamper` names has no answer to look at."""
    check_mistake(
        tmp_path,
        HEAD
        + "  - tamper: {insert: nodes, set: {name: a}, as: row}\n"
        + "  - expect: {answers: «row, count: 1}\n",
        "expected an answer, got 'row', which names a row of the database",
        None,
    )
