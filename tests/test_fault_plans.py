"""Plans of faults as people write them: in one line, in a file, and with mistakes."""

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.faults import ACTIONS, Fault, Plan, Selection
from harness.faults.action import Half, Kind, Ways
from harness.faults.actions import Answer, Delay, DropReply, Partition
from harness.faults.file import read_plan
from harness.faults.keys import FaultError
from harness.faults.short import parse
from harness.history import OPERATION_NAMES
from harness.scenario.errors import ScenarioErrors

DURATIONS = st.integers(0, 10**7).map(lambda ms: ms / 1000)
LINES = st.text(st.characters(exclude_categories=("Cs",)))
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.DURATION: DURATIONS,
    Kind.FLAG: st.booleans(),
    Kind.HALF: st.sampled_from(Half),
    Kind.STATUS: st.integers(200, 599),
    Kind.TEXT: LINES,
    Kind.WAYS: st.sampled_from(Ways),
}


@st.composite
def actions(draw: st.DrawFn) -> Any:
    action = ACTIONS[draw(st.sampled_from(sorted(ACTIONS)))]
    given_ = {
        name: draw(VALUES[one.metadata["kind"]])
        for name, one in action.keys().items()
        if draw(st.booleans())
    }
    return action(**given_)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    first = draw(st.integers(1, 10**6))
    from_s = draw(DURATIONS)
    return Selection(
        process=draw(st.none() | LINES.filter(lambda text: bool(text.strip()))),
        operation=draw(st.none() | st.sampled_from([*OPERATION_NAMES, "GET /api/nodes/* x"])),
        nth=draw(st.none() | st.integers(first, 10**7).map(lambda last: (first, last))),
        every=draw(st.none() | st.integers(1, 10**6)),
        share=draw(st.none() | st.integers(0, 10_000).map(lambda share: share / 100 / 100)),
        from_s=from_s,
        until_s=draw(st.just(math.inf) | st.just(round(from_s + 1, 3))),
    )


@given(actions(), selections())
def test_every_fault_is_read_back_from_its_short_form(action: Any, which: Selection) -> None:
    """What a fault is called in a history is how to ask for it again."""
    fault = Fault(action, which)

    assert parse(str(fault)) == fault


def told(text: str) -> bool:
    """Return whether a text is a fault, or else said to be none."""
    try:
        parse(text)
    except FaultError as error:
        return "expected" in str(error)
    return True


@given(
    st.lists(st.sampled_from([*ACTIONS, *OPERATION_NAMES, "5%", "#2", "poll#", "from", "3s", "="]))
)
def test_any_words_are_a_fault_or_a_mistake(words: list[str]) -> None:
    """There is no third way: no traceback comes of a plan."""
    assert told(" ".join(words))


@given(LINES)
def test_any_text_is_a_fault_or_a_mistake(text: str) -> None:
    """Also one with quotes, blanks and marks of all kinds."""
    assert told(f"drop_reply {text}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop_reply poll#2 alpha", Fault(DropReply(), Selection("alpha", "poll", (2, 2)))),
        ("answer 503 5% of result", Fault(Answer(503), Selection(operation="result", share=0.05))),
        (
            "partition to_master node-1 from 10s until 1m",
            Fault(Partition(Ways.TO_MASTER), Selection("node-1", from_s=10, until_s=60)),
        ),
        ("delay 250ms half=reply", Fault(Delay(0.25, half=Half.REPLY))),
        (
            "answer 404 GET /api/nodes/* body='no such'",
            Fault(Answer(404, "no such"), Selection(operation="GET /api/nodes/*")),
        ),
        ('drop_reply process="node 1"', Fault(DropReply(), Selection("node 1"))),
    ],
)
def test_a_fault_is_written_as_one_says_it(text: str, fault: Fault) -> None:
    """The examples of the documentation mean what they say."""
    assert parse(text) == fault


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("drop_replay", "expected a fault (drop_request, ", "did you mean 'drop_reply'?"),
        ("drop_reply pol#2", "expected an operation (", "did you mean 'poll'?"),
        ("drop_reply heartbeet", "got 'heartbeet'", "did you mean 'heartbeat'? If it is a process"),
        ("drop_reply alpha beta", "expected one process, got 'beta' as another", None),
        ("delay 3", "expected a duration with a unit, got '3'", "write 3ms"),
        ("answer 99", "expected an HTTP status from 200 to 599, got '99'", None),
        ("answer 503 shar=5%", "expected a key of answer (status, ", "did you mean 'share'?"),
        ("drop_reply 101%", "expected a share from 0% to 100%, got '101%'", None),
        ("drop_reply poll#0", "expected a number from 1", None),
        ("drop_reply from 5s until 5s", "expected 'until' to be later than 'from'", None),
        ("reset half=body", "expected a half of an exchange (request, reply)", None),
        ("drop_reply 'alpha", "No closing quotation", None),
        ("", "such as 'drop_reply poll#2 alpha'", None),
    ],
)
def test_a_mistake_says_what_was_expected(text: str, message: str, hint: str | None) -> None:
    """And what came, and what may have been meant."""
    with pytest.raises(FaultError) as caught:
        parse(text)

    assert message in str(caught.value)
    assert hint is None or hint in str(caught.value.hint)


def plan(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_text(text, "utf-8")
    return read_plan(path)


def test_a_file_holds_faults_of_both_forms(tmp_path: Path) -> None:
    """In the order in which they stand between a sender and the master."""
    read = plan(
        tmp_path,
        """\
faults:
  - drop_reply poll#2 alpha
  - answer: {status: 503, share: 5%, operation: result, nth: 2-4}
  - duplicate:
  - partition: {ways: to_master, process: node 1, from: 10s, until: 40s}
""",
    )

    assert [str(fault) for fault in read] == [
        "drop_reply poll#2 process=alpha",
        "answer 503 5% result#2-4",
        "duplicate",
        "partition to_master process='node 1' from 10s until 40s",
    ]


def test_all_mistakes_of_a_file_are_shown_with_their_places(tmp_path: Path) -> None:
    """Line and column are those of the word that is wrong."""
    with pytest.raises(ScenarioErrors) as caught:
        plan(
            tmp_path,
            """\
fault: 1
faults:
  - drop_replay: {}
  - answer: {statsu: 503, share: 500%}
  - delay 3 poll
  - [1]
  - reset: {half: {}}
  - delay: {from: 5s, until: 2s}
""",
        )

    places = [(error.place.line, error.place.column) for error in caught.value.errors]
    assert places == [(1, 1), (3, 5), (4, 14), (4, 34), (5, 5), (6, 5), (7, 19), (8, 5)]
    hints = [error.hint for error in caught.value.errors]
    assert hints[:3] == [
        "did you mean 'faults'?",
        "did you mean 'drop_reply'?",
        "did you mean 'status'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a plan of faults, got an empty file"),
        ("faults: []", "expected faults, got an empty list"),
        ("- drop_reply", "expected a plan of faults, a mapping, got a list"),
        ("other: 1", "expected a plan to have 'faults', which is missing"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """An empty plan is a mistake: a run with it would show nothing."""
    with pytest.raises(ScenarioErrors, match=r"plan\.yaml:1:\d+: error") as caught:
        plan(tmp_path, text)

    assert message in str(caught.value)


@given(st.text(st.sampled_from("faults: -dropreply{}[]#\n'\"%=5s")))
@settings(max_examples=300)
def test_any_file_is_a_plan_or_mistakes(tmp_path_factory: Any, text: str) -> None:
    """No traceback comes of a file."""
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_text(text, "utf-8")
    with suppress(ScenarioErrors):
        assert len(read_plan(path))


def test_a_plan_is_faster_where_time_is() -> None:
    """Times shrink; shares and counts stay."""
    faults = Plan((parse("delay 10s 5% from 20s until 40s"), parse("drop_reply after=5s")))

    assert [str(fault) for fault in faults.faster(10)] == [
        "delay 1s 5% from 2s until 4s",
        "drop_reply after=0.5s",
    ]
