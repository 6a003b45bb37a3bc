"""The JUnit report holds to the schema that CI servers read, for every verdict there is."""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

import pytest
from scenes import CATALOGUE, scene

from harness.reports.junit import JunitFile
from harness.scenario.known import Known, KnownFailures
from harness.scenario.model import Place
from harness.verdict import (
    Failure,
    KnownState,
    Outcome,
    Report,
    Rules,
    Verdict,
    judge_clauses,
)

ATTRIBUTES: Final = {
    "testsuites": {"tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name", "file", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}
"""The attributes that the schema of Jenkins' JUnit plugin has, of those that are used here."""

CHILDREN: Final = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out"],
}
"""The children of each element, in the order that the schema wants."""

STORY = """
scenario: Something is shown
clauses: [TMO-1]
agents: {alpha: manual}
steps: [{heartbeat: alpha, expect: {status: 200}}]
"""


def outcome(verdict: Verdict, *broken: str) -> Outcome:
    made = Outcome(scene(STORY), verdict, broken=broken, reason="as \x00 it is")
    if broken:
        made.failure = Failure("scene.yaml:5:9", "step <&>", "a \x1b[31m", "b ]]>", 0.0, [])
    else:
        made.tested = {"TMO-1": 1}
    return made


@pytest.fixture
def report() -> Report:
    outcomes = (
        outcome(Verdict.PASS),
        outcome(Verdict.FAIL, "TMO-1", "TMO-2"),
        outcome(Verdict.WARN, "TMO-1"),
        outcome(Verdict.KNOWN, "TMO-1"),
        outcome(Verdict.SKIP),
        outcome(Verdict.VACUOUS),
        outcome(Verdict.UNKNOWN),
    )
    stale = Known(Place(Path("known.toml"), 4, 1), "TMO-1", None, ("2.0",), ("embedded",), "r")
    rules = Rules(CATALOGUE, "2.0", "embedded", KnownFailures(Path("known.toml"), (stale,)))
    clauses = judge_clauses(outcomes[:1], rules)
    states = ((stale, KnownState.PASSES),)
    return Report("2.0", "virtual", 7, 1.5, False, outcomes, clauses, states)


def written(path: Path, *reports: Report) -> Xml.Element:
    listener = JunitFile(path, all_profiles=len(reports) > 1)
    for report in reports:
        listener.finished(report)
    return Xml.parse(path).getroot()  # noqa: S314 - our own file


def test_it_holds_to_the_schema(tmp_path: Path, report: Report) -> None:
    """Only elements and attributes that it has, all that it requires, in its order."""
    root = written(tmp_path / "a.xml", report)

    for element in root.iter():
        children = [child.tag for child in element]
        allowed = CHILDREN.get(element.tag, [])
        assert set(element.keys()) <= ATTRIBUTES[element.tag]
        assert set(children) <= set(allowed)
        assert children == sorted(children, key=allowed.index)
        for name in ("tests", "failures", "errors", "skipped"):
            assert element.get(name, "0").isdecimal()
    assert all({"name", "classname"} <= set(case.keys()) for case in root.iter("testcase"))


def test_its_numbers_are_those_of_its_cases(tmp_path: Path, report: Report) -> None:
    """Each total is what somebody who counts would find."""
    root = written(tmp_path / "a.xml", report)
    (suite,) = root

    for element in (root, suite):
        assert element.get("tests") == str(len(list(root.iter("testcase")))) == "8"
        for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(total) == str(len(list(root.iter(tag))))
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "1", "3")


def test_each_verdict_in_the_words_of_junit(tmp_path: Path, report: Report) -> None:
    """What passed has no mark; what is known, skipped or vacuous is skipped and says which."""
    cases = list(written(tmp_path / "a.xml", report).iter("testcase"))
    marks = [
        [(one.tag, (one.get("message") or "").split(":")[0]) for one in case] for case in cases
    ]

    assert marks == [
        [],
        [("failure", "TMO-1, TMO-2")],
        [("system-out", "")],
        [("skipped", "KNOWN")],
        [("skipped", "SKIP")],
        [("skipped", "VACUOUS")],
        [("error", "UNKNOWN")],
        [("failure", "known.toml")],
    ]
    assert cases[-1].get("classname") == "known-failures"
    assert "expected  a �[31m" in (cases[1][0].text or "")
    assert "seen  b ]]>" in (cases[1][0].text or "")


def test_a_suite_says_how_it_was_run(tmp_path: Path, report: Report) -> None:
    """Its properties are enough to run it again, and hold the verdict of each clause."""
    (suite,) = written(tmp_path / "a.xml", report)
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}

    assert properties == {
        "profile": "2.0",
        "clock": "virtual",
        "seed": "7",
        "exit_code": "1",
        "TMO-1": "PASS",
    }


def test_several_runs_are_several_suites(tmp_path: Path, report: Report) -> None:
    """Their cases can be told apart, and the totals are of all."""
    root = written(tmp_path / "a.xml", report, report)

    assert [suite.get("name") for suite in root] == ["muster 2.0", "muster 2.0"]
    assert root.get("tests") == "16"
    assert {case.get("classname") for case in root.iter("testcase")} == {
        "2.0/scenarios",
        "2.0/known-failures",
    }
