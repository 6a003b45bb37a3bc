"""Scenario files: what good ones are read into, and how mistakes are shown, all at once."""

import re
from pathlib import Path

import pytest
from stories import (
    BEHAVIOURS,
    CLAUSES,
    HEAD,
    UNIT,
    mistakes,
    read,
)

from harness.scenario.errors import ScenarioError, ScenarioErrors
from harness.scenario.loader import load, load_all
from harness.scenario.model import Duration, Place

GOOD = """\
scenario: A whole story.
clauses: [TMO-1, CMD-10]
profiles: ["2.0", strict]
clocks: [virtual]
because: it takes a day
timing: {command_timeout: 1h30m, offline_scan: 250ms}
agents:
  alpha: manual
  beta: prompt
  swarm:
    behaviour: crashing
    count: 12
    start: later
    at: worked
    restart_after: command_scan + 1.5s
    times: 2
    with: late-comer
    note: tired
    work: {duration: 5s, size: 10, outcome: failure, logs: [one, ""]}
  late-comer: manual
targets:
  shelf: {type: s3, config: {bucket: b}}
tasks:
  nightly: {agent: alpha, sourcePath: /data}
  other: {agent: swarm-12, type: mysql, targets: [shelf, disk], dbPort: 3306, after: "${nightly.id}"}
steps:
  - run: nightly
    as: backup
  # A comment.
  - result: {agent: alpha, command: 7, token: t, nested: [1, 2.5, null, true]}
    token: "${alpha.token}"
    times: 3
    clauses: [CMD-10]
    expect: {status: {one_of: [200, 404]}}

  - together:
      - poll: beta
        as: left
      - list_dir: {agent: alpha, path: /}
        as: right
        background: true
  - answer: {of: right, expect: {code: OK}}
  - for_each:
      in: [swarm-1, {x: 1}]
      do:
        - poll: "${each}"
          as: inner
        - update_record: {agent: alpha, record: "${backup.id}", logAppend: "${each.x} ${timing.offline_after}"}
  - for_each: {in: "${left.list}", do: [{poll: beta, as: inner}]}
  - tamper: {insert: nodes, set: {id: 3}, as: row}
  - wait: command_timeout - 10s
  - until:
      within: 1m
      expect: {records: {task: nightly, status: running}, where: {fileSize: 1}, count: {at_least: 1}}
  - expect:
      record: backup
      durationSeconds: {takes: [0s, 10m31s]}
      logContent: |
        two
        lines
"""


def test_good_file_is_read_into_a_scenario(tmp_path: Path) -> None:
    """Everything in the head is where the model says."""
    scenario = read(tmp_path, GOOD, "area/story.yaml")

    assert scenario.id == "area/story"
    assert scenario.path == tmp_path / "area/story.yaml"
    assert scenario.shows == "A whole story."
    assert scenario.clauses == ("TMO-1", "CMD-10")
    assert scenario.profiles == ("2.0", "strict")
    assert (scenario.clocks, scenario.because) == (("virtual",), "it takes a day")
    assert scenario.timing == {"command_timeout": 5400.0, "offline_scan": 0.25}
    assert scenario.needs_tables


def test_agents_are_read(tmp_path: Path) -> None:
    """Short and long forms, groups, options and work; durations are parsed."""
    alpha, beta, swarm, late = read(tmp_path, GOOD).agents

    assert (alpha.behaviour, beta.behaviour, late.name) == ("manual", "prompt", "late-comer")
    assert (alpha.start, alpha.count, alpha.options, alpha.work) == (True, None, {}, {})
    assert (swarm.start, swarm.count) == (False, 12)
    assert swarm.options == {
        "at": "worked",
        "restart_after": Duration("command_scan + 1.5s", ((1, "command_scan"), (1, 1.5))),
        "times": 2,
        "with": "late-comer",
        "note": "tired",
    }
    assert swarm.work == {
        "duration": Duration("5s", ((1, 5.0),)),
        "size": 10,
        "outcome": "failure",
        "logs": ["one", ""],
    }
    assert (swarm.place.line, swarm.place.column) == (10, 3)


def test_tasks_and_targets_are_read(tmp_path: Path) -> None:
    """What a task does not name has a default, the rest goes on the wire; the disk is implied."""
    scenario = read(tmp_path, GOOD)
    nightly, other = scenario.tasks
    shelf, disk = scenario.targets

    assert (nightly.agent, nightly.type, nightly.targets) == ("alpha", "file", ("disk",))
    assert nightly.fields == {"sourcePath": "/data"}
    assert (other.agent, other.type, other.targets) == ("swarm-12", "mysql", ("shelf", "disk"))
    assert other.fields == {"dbPort": 3306, "after": "${nightly.id}"}
    assert (shelf.name, shelf.type, shelf.config) == ("shelf", "s3", {"bucket": "b"})
    assert (disk.name, disk.type, disk.config) == (
        "disk",
        "local_disk",
        {"basePath": "${scratch}/disk"},
    )


def test_steps_are_read(tmp_path: Path) -> None:
    """A step has its verb's keys in their long form, and what stands beside the verb."""
    run, result, together, answer, first, second, tamper, wait, until, expect = read(
        tmp_path, GOOD
    ).steps

    assert (run.verb, run.args, run.name) == ("run", {"task": "nightly"}, "backup")
    assert result.args["nested"] == [1, 2.5, None, True]
    assert (result.args["token"], result.token, result.times) == ("t", "${alpha.token}", 3)
    assert (result.clauses, result.expect) == (("CMD-10",), {"status": {"one_of": [200, 404]}})
    assert [step.background for step in together.args["steps"]] == [False, True]
    assert answer.args == {"of": "right", "expect": {"code": "OK"}}
    assert first.args["in"] == ["swarm-1", {"x": 1}]
    assert second.args["in"] == "${left.list}"
    assert second.args["do"][0].name == "inner"
    assert (tamper.name, tamper.args["as"]) == ("row", "row")
    assert wait.args == {
        "for": Duration("command_timeout - 10s", ((1, "command_timeout"), (-1, 10.0)))
    }
    assert until.args["expect"]["records"] == {"task": "nightly", "status": "running"}
    low, high = expect.args["expect"]["durationSeconds"]["takes"]
    assert (low.text, high.text) == ("0s", "10m31s")
    assert expect.args["expect"]["logContent"] == "two\nlines\n"


def test_step_keeps_how_it_is_written(tmp_path: Path) -> None:
    """A step's source is its own lines at the margin, without what is around it."""
    steps = read(tmp_path, GOOD).steps

    assert steps[0].source == "run: nightly\nas: backup"
    assert (steps[0].place.line, steps[0].place.column) == (27, 5)
    assert steps[2].source.splitlines()[0:3] == ["together:", "  - poll: beta", "    as: left"]
    assert steps[5].args["do"][0].source == "{poll: beta, as: inner}"
    assert steps[9].source.endswith("logContent: |\n    two\n    lines")


def test_defaults_of_a_short_file(tmp_path: Path) -> None:
    """A short file applies to every profile and clock, and declares nothing."""
    scenario = read(
        tmp_path,
        "scenario: S.\nclauses: [TMO-1]\nsteps: [{admin: {method: GET, path: /}, expect: {code: OK}}]",
    )

    assert scenario.profiles == ("2.0", "2.3.4", "2.3.5", "2.4", "strict")
    assert (scenario.clocks, scenario.because) == (("virtual", "real", "warp"), None)
    assert (scenario.timing, scenario.agents, scenario.targets, scenario.tasks) == ({}, (), (), ())
    assert not scenario.needs_tables


def test_declared_disk_is_not_implied(tmp_path: Path) -> None:
    """A target that is declared as `disk` is the one that tasks use."""
    text = HEAD.replace("steps:", "targets: {disk: {type: ftp}}\nsteps:")

    (disk,) = read(tmp_path, text).targets

    assert (disk.type, disk.config) == ("ftp", {})


@pytest.mark.parametrize(
    "steps",
    [
        "- expect: {record: backup, status: {not: {matches: '^(a|${alpha.id})$'}}}",
        "- expect: {record: 12, fileSize: {between: [1, '${backup.size}']}, fileName: {length: 0}}",
        "- expect: {task: nightly, tags: {exactly: {a: {at_most: 1}}}, name: {keys: []}}",
        "- expect: {agent: swarm-2, name: {json: {a: 1}}, labels: {all: {contains: a}}, queue: {any: 1}}",
        "- expect: {record: '${backup.id}', logContent: {in_order: [a, b]}, y: {absent: true}}",
        "- expect: {record: backup, exists: false}",
        "- expect: {record: backup, logEvents: {tasks: 1}, logContent: {note: 1}}",
        "- expect: {answers: command, any: {status: 200}, all: {takes: [1s, 1s]}}",
        "- expect: {commands: {agent: alpha}, count: 1, items: [{id: 1}]}",
        "- poll: alpha\n    as: again\n    expect: {command: {id: '${again.id}'}}",
        "- get_task: {agent: alpha, task: 0}",
        "- delete: {target: disk}",
        "- request: {method: GET, path: '', headers: {a: b}}\n    token: ''",
        "- heartbeat: {agent: alpha, token: x, headers: {a: b}}",
        "- tamper: {delete: nodes, where: {id: 1}}",
        "- poll: alpha\n    background: false",
        "- together: {steps: [poll: alpha]}",
        "- wait: {for: 0.5s}",
    ],
)
def test_good_step_is_accepted(tmp_path: Path, steps: str) -> None:
    """What the language allows is not refused."""
    assert len(read(tmp_path, HEAD + "  " + steps).steps) == 3


def test_byte_order_mark_and_foreign_line_ends_are_no_mistake(tmp_path: Path) -> None:
    """Files from other systems are read alike."""
    text = ("\ufeff" + HEAD).replace("\n", "\r\n")

    assert read(tmp_path, text).steps[0].source == "run: nightly\nas: backup"


@pytest.mark.parametrize(
    ("steps", "needs"),
    [
        ("  - tamper: {delete: nodes}\n", True),
        ("  - expect: {command: command, status: x}\n", True),
        ("  - until: {within: 1s, expect: {commands: {nodeId: 1}, count: 0}}\n", True),
        (
            "  - together: [{for_each: {in: [1], do: [{expect: {commands: {nodeId: 1}, count: 0}}]}}]\n",
            True,
        ),
        ("  - poll: alpha\n    expect: {command: null}\n", False),
        ("  - expect: {records: {task: 1}, count: 0}\n", False),
    ],
)
def test_scenario_knows_that_it_needs_the_database(tmp_path: Path, steps: str, needs: bool) -> None:
    """Only commands and changes need the master's tables."""
    assert read(tmp_path, HEAD + steps).needs_tables is needs


def test_all_mistakes_of_a_file_come_at_once(tmp_path: Path) -> None:
    """One reading shows everything, in the order of the lines."""
    text = HEAD.replace("TMO-1", "TMO-7").replace("run: nightly", "run: daily") + "  - wait: 5\n"

    errors = mistakes(tmp_path, text)

    assert [error.place.line for error in errors] == [2, 6, 11]


def test_mistyped_step_names_its_answer_all_the_same(tmp_path: Path) -> None:
    """One mistake does not make others of the steps that build on it."""
    text = HEAD.replace("run: nightly", "rnu: nightly") + "  - restore: backup\n"

    (error,) = mistakes(tmp_path, text)

    assert error.hint == "did you mean 'run'?"


def test_text_of_the_errors_shows_line_caret_and_hint(tmp_path: Path) -> None:
    """The text form is what a person needs to find and mend each mistake."""
    with pytest.raises(ScenarioErrors) as caught:
        read(tmp_path, HEAD + "  - pol: alpha\n  - wait: 5\n")

    path = tmp_path / "story.yaml"
    assert str(caught.value) == (
        f"{path}:11:5: error: expected a verb, got 'pol'\n"
        "  11 |   - pol: alpha\n"
        "     |     ^\n"
        "  did you mean 'poll'?\n"
        f"{path}:12:11: error: {UNIT}, got the number 5\n"
        "  12 |   - wait: 5\n"
        "     |           ^\n"
        "  write 5ms, 5s, 5m, 5h or 5d\n"
        "2 errors in 1 file"
    )


def test_caret_stands_under_the_column_of_wide_and_long_lines() -> None:
    """Wide characters take two columns, tabs one, and of a long line the part around is shown."""
    place = Place(Path("f"), 1, 4)
    wide = str(ScenarioError(place, "m", "备\t份x")).splitlines()
    far = str(
        ScenarioError(Place(Path("f"), 1, 501), "m", "-" * 500 + "x" + "-" * 500)
    ).splitlines()

    assert wide[1] == "  1 | 备 份x"
    assert wide[2].index("^") == len("  1 | ") + 5
    assert far[1][far[2].index("^")] == "x"
    assert len(far[1]) < 130


def test_many_errors_are_cut(tmp_path: Path) -> None:
    """A file full of mistakes does not flood the terminal, and the count is whole."""
    with pytest.raises(ScenarioErrors) as caught:
        read(tmp_path, HEAD + "  - pol: alpha\n" * 150)

    assert len(caught.value.errors) == 150
    assert str(caught.value).count("error: ") == 100
    assert str(caught.value).endswith("150 errors in 1 file, 50 of them not shown")


def test_all_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    """A folder's files are all read before any error is shown."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(
            HEAD.replace("alpha}", "nobody}") if name != "b" else HEAD
        )

    with pytest.raises(ScenarioErrors) as caught:
        load_all([tmp_path], CLAUSES, BEHAVIOURS)

    assert [error.place.path.name for error in caught.value.errors] == ["a.yaml", "c.yaml"]
    assert str(caught.value).endswith("2 errors in 2 files")


def test_folder_is_read_in_order_and_each_file_once(tmp_path: Path) -> None:
    """Files come in the order of their paths, with ids that count from the catalogue's folder."""
    (tmp_path / "clauses.toml").write_text("")
    for name in ("b/one", "a/two", "top"):
        read(tmp_path, HEAD, f"{name}.yaml")

    every = load_all([tmp_path, tmp_path / "top.yaml"], CLAUSES, BEHAVIOURS)
    some = load_all([tmp_path / "b", tmp_path / "a" / "two.yaml"], CLAUSES, BEHAVIOURS)

    assert [scenario.id for scenario in every] == ["a/two", "b/one", "top"]
    assert [scenario.id for scenario in some] == ["b/one", "a/two"]


def test_id_counts_from_the_given_folder_where_there_is_no_catalogue(tmp_path: Path) -> None:
    """Scenarios of one's own need no catalogue above them."""
    read(tmp_path, HEAD, "deep/down.yaml")

    (folder,) = load_all([tmp_path], CLAUSES, BEHAVIOURS)
    (file,) = load_all([tmp_path / "deep" / "down.yaml"], CLAUSES, BEHAVIOURS)
    (outside,) = load(tmp_path / "deep" / "down.yaml", tmp_path / "other", CLAUSES, BEHAVIOURS)

    assert (folder.id, file.id, outside.id) == ("deep/down", "down", "down")


def test_two_files_with_one_id_are_refused(tmp_path: Path) -> None:
    """Reports could not tell them apart."""
    for name in ("a", "b"):
        read(tmp_path, HEAD, f"{name}/same.yaml")

    with pytest.raises(ScenarioErrors, match="expected an id of its own, got 'same'"):
        load_all([tmp_path / "a", tmp_path / "b"], CLAUSES, BEHAVIOURS)


def test_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    """A run of nothing is never what was meant; a file with the other ending is not passed over."""
    with pytest.raises(ScenarioErrors, match="expected a folder with scenarios"):
        load_all([tmp_path], CLAUSES, BEHAVIOURS)
    (tmp_path / "a.yml").write_text(HEAD)
    with pytest.raises(ScenarioErrors, match=re.escape("a file that ends in .yaml, got 'a.yml'")):
        load_all([tmp_path], CLAUSES, BEHAVIOURS)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not one of scenarios is noticed before all of it is read."""
    monkeypatch.setattr("harness.scenario.loader.FILES_MAX", 1)
    for name in ("a", "b"):
        read(tmp_path, HEAD, f"{name}.yaml")

    with pytest.raises(ScenarioErrors, match="expected at most 1 scenario files, got 2"):
        load_all([tmp_path], CLAUSES, BEHAVIOURS)


def test_behaviours_of_the_simulated_agents_are_known_by_default(tmp_path: Path) -> None:
    """Left out, the behaviours are those that there are."""
    path = tmp_path / "story.yaml"
    path.write_text(HEAD.replace("prompt, count", "slow, duration: 1m, count"))

    assert load(path, tmp_path, CLAUSES)[0].agents[1].options["duration"].text == "1m"
