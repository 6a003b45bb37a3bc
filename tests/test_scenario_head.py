"""Mistakes in the head of a scenario: what it shows, and what it declares."""

from pathlib import Path

import pytest
from stories import (
    ALPHA,
    LETTERS,
    START,
    TAIL,
    UNIT,
    check_mistake,
    mistakes,
)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "«clauses: [TMO-1]\n" + TAIL,
            "expected a scenario to have 'scenario', which is missing",
            None,
        ),
        (
            "«scenari: S.\nclauses: [TMO-1]\nscenario: T.\n" + TAIL,
            "expected a key of a scenario, got 'scenari'",
            "did you mean 'scenario'?",
        ),
        (
            'scenario: S.\nclauses: [TMO-1]\nclocks: [virtual]\nbecause: B.\nzone: «"2h"\n' + TAIL,
            """expected a time zone such as "+02:00", got '2h'""",
            None,
        ),
        (
            'scenario: S.\nclauses: [TMO-1]\nzone: «"+02:00"\n' + TAIL,
            "expected 'clocks: [virtual]' beside a zone: a real machine has its own",
            None,
        ),
        (
            "scenario: «5\nclauses: [TMO-1]\n" + TAIL,
            "expected a sentence, got the number 5",
            'write "5" if text is meant',
        ),
        (
            "scenario: «[a]\nclauses: [TMO-1]\n" + TAIL,
            "expected a sentence, got a list",
            None,
        ),
        (
            "scenario:« \nclauses: [TMO-1]\n" + TAIL,
            "expected a sentence, got nothing",
            None,
        ),
        (
            "scenario: «' '\nclauses: [TMO-1]\n" + TAIL,
            "expected a sentence, got an empty text",
            None,
        ),
        (
            f"scenario: «{'a' * 301}\nclauses: [TMO-1]\n{TAIL}",
            "expected one sentence in one line of at most 300 characters, got 301 characters",
            None,
        ),
        (
            "scenario: S.\nclauses: «[]\n" + TAIL,
            "expected a list of clauses, got an empty list",
            None,
        ),
        (
            "scenario: S.\nclauses: «TMO-1\n" + TAIL,
            "expected a list of clauses, a list, got 'TMO-1'",
            None,
        ),
        (
            "scenario: S.\nclauses: [TMO-1, «TMO-11]\n" + TAIL,
            "expected a clause (CMD-10, TMO-1, TMO-2), got 'TMO-11'",
            "did you mean 'TMO-1'?",
        ),
        (
            "scenario: S.\nclauses: [TMO-1, «TMO-1]\n" + TAIL,
            "expected each clause once, got 'TMO-1' again",
            None,
        ),
        (
            START + "profiles: [«2.0]\n" + TAIL,
            "expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict), got the number 2.0",
            'write "2.0"',
        ),
        (
            START + "profiles: [«2.9]\n" + TAIL,
            "expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict), got the number 2.9",
            None,
        ),
        (
            START + "profiles: [«2.3.55]\n" + TAIL,
            "expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict), got '2.3.55'",
            "did you mean '2.3.5'?",
        ),
        (
            START + "«clocks: [real]\n" + TAIL,
            "expected 'because' beside it: why not on the virtual and the warp clock",
            None,
        ),
        (
            START + "«because: no\n".replace("no", "it is so") + TAIL,
            "expected 'because' only where 'clocks' leaves one out",
            None,
        ),
        (
            START + "timing: {«comand_timeout: 1s}\n" + TAIL,
            (
                "expected a timer of the master (command_timeout, command_scan, offline_after, offline_scan,"
                " list_dir_timeout, discover_timeout, token_grace,"
                " cron_second, event_heartbeat, version_scan, version_notice, metrics_scan), got 'comand_timeout'"
            ),
            "did you mean 'command_timeout'?",
        ),
        (
            START + "timing: {command_scan: «30}\n" + TAIL,
            f"{UNIT}, got the number 30",
            "write 30ms, 30s, 30m, 30h or 30d",
        ),
        (
            START + "timing: {command_scan: «offline_scan}\n" + TAIL,
            "expected a length of time such as 10m31s, got the timer 'offline_scan'",
            None,
        ),
        (
            START + "timing: {command_scan: «0s}\n" + TAIL,
            "expected a duration of more than 0 seconds, got '0s'",
            None,
        ),
        (
            START + "timing: «[]\n" + TAIL,
            "expected timers with their durations, a mapping, got a list",
            None,
        ),
        ("«- a\n", "expected a scenario, a mapping, got a list", None),
        (
            START + "agents: {a: prompt}\nsteps: «{poll: a}\n",
            "expected steps, a list, got a mapping",
            None,
        ),
        (
            START + "agents: {a: prompt}\n«steps: [poll: a]\n",
            "expected at least one expectation: nothing here could fail",
            None,
        ),
    ],
)
def test_mistake_in_the_head(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    """Each mistake is shown once, where it is, with what was expected and what came."""
    check_mistake(tmp_path, text, message, hint)


@pytest.mark.parametrize(
    ("agents", "message", "hint"),
    [
        ("«Alpha: manual", f"expected the name of an agent {LETTERS}, got 'Alpha'", None),
        (
            "«each: manual",
            "expected the name of an agent, got 'each', which has a meaning of its own",
            None,
        ),
        (
            "a: «manul",
            "expected a behaviour, or a mapping with one (manual, tested, prompt, crashing), got 'manul'",
            "did you mean 'manual'?",
        ),
        ("a: «{count: 1}", "expected an agent to have 'behaviour', which is missing", None),
        (
            "a: «{behavior: prompt}",
            "expected an agent to have 'behaviour', which is missing",
            "did you mean 'behaviour' with 'behavior'?",
        ),
        (
            "a: {behaviour: crashing, «restart: 1s}",
            (
                "expected an option of a crashing agent (at, restart_after, times, with, note,"
                " behaviour, count, start, labels, work, release), got 'restart'"
            ),
            "did you mean 'start'?",
        ),
        (
            "a: {behaviour: crashing, at: «claimd}",
            "expected one of these (claimed, worked), got 'claimd'",
            "did you mean 'claimed'?",
        ),
        (
            "a: {behaviour: crashing, restart_after: «5}",
            f"{UNIT}, got the number 5",
            "write 5ms, 5s, 5m, 5h or 5d",
        ),
        (
            "a: {behaviour: crashing, with: «b}",
            "expected the name of a declared agent (a), got 'b'",
            None,
        ),
        ("a: {behaviour: crashing, times: «x}", "expected a number, got 'x'", None),
        (
            "a: {behaviour: crashing, note: «'${a.id}'}",
            "expected no references here: nothing exists yet that they could name",
            None,
        ),
        (
            "a: {behaviour: prompt, count: «0}",
            "expected a number of agents from 1 to 10000, got the number 0",
            None,
        ),
        (
            "a: {behaviour: prompt, count: «true}",
            "expected a number of agents from 1 to 10000, got true",
            None,
        ),
        (
            "a: {behaviour: prompt, start: «now}",
            "expected the word 'later' (later), got 'now'",
            None,
        ),
        (
            "a: {behaviour: prompt, work: {«lasts: 1s}}",
            "expected a key of work (duration, size, outcome, logs), got 'lasts'",
            None,
        ),
        (
            "a: {behaviour: prompt, work: {outcome: «fail}}",
            "expected an outcome (success, failure), got 'fail'",
            "did you mean 'failure'?",
        ),
        (
            "a: {behaviour: prompt, work: «5s}",
            "expected how pretend work goes, a mapping, got '5s'",
            None,
        ),
        (
            "a: {behaviour: prompt, count: 2}, «a-2: manual",
            "expected a free name, got 'a-2', one of the group 'a'",
            None,
        ),
    ],
)
def test_mistake_in_an_agent(tmp_path: Path, agents: str, message: str, hint: str | None) -> None:
    """Each mistake in a declared agent is shown once, where it is."""
    check_mistake(tmp_path, f"{START}agents: {{{agents}}}\n{TAIL}", message, hint)


@pytest.mark.parametrize(
    ("rest", "message", "hint"),
    [
        (
            "targets: {«alpha: {type: x}}",
            "expected the name of a storage target that is free, got 'alpha', which is declared already",
            None,
        ),
        (
            "targets: {s: «{config: {}}}",
            "expected a storage target to have 'type', which is missing",
            None,
        ),
        (
            "targets: {s: {type: x, «confg: {}}}",
            "expected a key of a storage target (type, config), got 'confg'",
            "did you mean 'config'?",
        ),
        (
            "targets: {s: «local_disk}",
            "expected a storage target, a mapping, got 'local_disk'",
            None,
        ),
        (
            "targets: {s: {type: x, config: {a: «'${alpha.id}'}}}",
            "expected no reference here but ${scratch}: nothing exists yet that it could name",
            None,
        ),
        (
            "targets: {s: {type: x, config: {a: «'${scratch.a}'}}}",
            "expected no reference here but ${scratch}: nothing exists yet that it could name",
            None,
        ),
        (
            "tasks: {t: {agent: alpha, «pool: db}}",
            "expected 'agent' or 'pool', got both",
            None,
        ),
        ("tasks: {t: «{type: file}}", "expected a task to have 'agent', which is missing", None),
        (
            "tasks: {t: «{agnet: alpha}}",
            "expected a task to have 'agent', which is missing",
            "did you mean 'agent' with 'agnet'?",
        ),
        (
            "tasks: {t: {agent: «alpah}}",
            "expected the name of a declared agent (alpha), got 'alpah'",
            "did you mean 'alpha'?",
        ),
        (
            "tasks: {t: {agent: «'${alpha.id}'}}",
            "expected the name of a declared agent, got '${alpha.id}'",
            None,
        ),
        (
            "targets: {shelf: {type: x}}\ntasks: {t: {agent: alpha, targets: [«shelv]}}",
            "expected the name of a storage target (shelf), got 'shelv'",
            "did you mean 'shelf'?",
        ),
        (
            "tasks: {t: {agent: alpha, targets: [«5]}}",
            "expected the name of a storage target, got the number 5",
            'write "5" if text is meant',
        ),
        (
            "tasks: {t: {agent: alpha, targets: [«disk]}}",
            "expected the name of a storage target (none is declared), got 'disk'",
            None,
        ),
        (
            "tasks: {«disk: {agent: alpha, targets: [x]}, t: {agent: alpha}}",
            "expected the name of a task that is free, got 'disk', which is declared already",
            None,
        ),
        (
            "tasks: {t: {agent: alpha, x: «'${t.id}'}}",
            "expected a reference to a name that is known here, got 't'",
            None,
        ),
        ("tasks: «[t]", "expected a tasks by name, a mapping, got a list", None),
        ("tasks: {t: «5}", "expected a task, a mapping, got the number 5", None),
    ],
)
def test_mistake_in_a_target_or_task(
    tmp_path: Path, rest: str, message: str, hint: str | None
) -> None:
    """Each mistake in a declared target or task is shown once, where it is."""
    text = ALPHA + rest.replace(", targets: [x]}", "}") + "\n" + TAIL
    check_mistake(tmp_path, text, message, hint)


def test_disk_that_is_an_agent_is_not_implied(tmp_path: Path) -> None:
    """A task that names no target, beside an agent called `disk`, must name one."""
    text = START + "agents: {disk: manual}\ntasks: {«t: {agent: disk}}\n" + TAIL

    check_mistake(tmp_path, text, "expected 'targets', as 'disk' names something else here", None)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("«drop_replay poll", "expected a fault", "did you mean 'drop_reply'?"),
        ("«drop_reply poll betta", "expected a fault about a declared agent (alpha)", None),
    ],
)
def test_mistake_in_a_fault(tmp_path: Path, line: str, message: str, hint: str | None) -> None:
    """Each is shown where it stands; a fault is about an agent that there is."""
    text = f"scenario: S.\nclauses: [TMO-1]\nagents: {{alpha: manual}}\nfaults:\n  - {line}\n{TAIL}"
    lines = text.split("«", maxsplit=1)[0].split("\n")

    (error,) = mistakes(tmp_path, text.replace("«", ""))

    assert error.message.startswith(message)
    assert error.hint == hint
    assert (error.place.line, error.place.column) == (len(lines), len(lines[-1]) + 1)
