"""Which parts of a wait pass on the warp clock, and which are skipped."""

import pytest
from scenes import scene

from harness.sites.following import waits
from harness.sites.rows import Ages
from harness.sites.spans import Span, Wait, Watch, jump_to, stay_until
from master.config import Timings

WATCH = Watch(Timings(), 1.0)
NOTHING = Ages((), (), scheduled=False)


def spans(ages: Ages, end_s: float, wait: Wait, *, company: bool = False) -> list[Span]:
    return sorted(
        WATCH.spans(ages, 0.0, end_s, wait, company=company), key=lambda span: span.start_s
    )


@pytest.mark.parametrize(
    ("wait", "start_s"),
    [(Wait.LOOK, 569.0), (Wait.SEEN, 569.0), (Wait.UNTIL, 600.0)],
)
def test_who_looks_at_the_end_sees_what_one_look_of_the_monitors_did(
    wait: Wait, start_s: float
) -> None:
    """30 s and the slack pass before, which are 15 s for the nodes too; an `until` brings its own."""
    assert spans(NOTHING, 600.0, wait) == [Span(start_s, 600.0)]


@pytest.mark.parametrize(("age_s", "start_s"), [(0.0, 554.0), (-523.0, 554.0), (-525.0, 569.0)])
def test_nodes_come_before_commands_where_one_has_grown_silent(
    age_s: float, start_s: float
) -> None:
    """15 s and 30 s and the slack: a command may be kept by a node that only seems to be online."""
    ages = Ages((age_s,), (), scheduled=False)
    assert spans(ages, 600.0, Wait.LOOK) == [Span(start_s, 600.0)]


@pytest.mark.parametrize("wait", [Wait.ON, Wait.DOWN])
def test_a_wait_after_which_nobody_looks_is_skipped(wait: Wait) -> None:
    """So many short waits in a row cost nothing."""
    assert spans(NOTHING, 600.0, wait) == []


def test_a_dead_master_looks_at_nothing() -> None:
    """Whatever grows old meanwhile is found when it is up again."""
    assert spans(Ages((44.0,), (599.0,), scheduled=False), 600.0, Wait.DOWN) == []


def test_a_command_is_looked_at_when_it_grows_stale() -> None:
    """Dispatched 10 s ago, it is timed out between 590 and 620 from now, as without a jump."""
    ages = Ages((), (10.0,), scheduled=False)
    assert spans(ages, 1_200.0, Wait.ON) == [Span(590.0, 621.0)]


def test_a_node_is_offline_before_its_command_is_looked_at() -> None:
    """A stale command may be kept by a node that only seems to be online."""
    ages = Ages((0.0,), (0.0,), scheduled=False)
    assert spans(ages, 600.0, Wait.UNTIL) == [Span(584.0, 600.0), Span(584.0, 631.0)]


def test_a_node_that_beats_before_its_time_delays_no_command() -> None:
    """As long as it may, its next silence is after the command has grown stale."""
    ages = Ages((-560.0,), (0.0,), scheduled=False)
    assert spans(ages, 1_200.0, Wait.ON)[0] == Span(600.0, 631.0)


def test_a_node_is_looked_at_when_it_falls_silent_where_others_act() -> None:
    """An agent that comes back later must have been offline before; one alone has no such hurry."""
    ages = Ages((5.0,), (), scheduled=False)
    assert Span(40.0, 56.0) in spans(ages, 600.0, Wait.LOOK, company=True)
    assert Span(40.0, 56.0) in spans(ages, 600.0, Wait.SEEN)
    assert Span(40.0, 56.0) in spans(ages, 600.0, Wait.ON)
    assert Span(40.0, 56.0) not in spans(ages, 600.0, Wait.LOOK)


def test_faster_timers_need_shorter_looks() -> None:
    """Only the slack does not shrink."""
    watch = Watch(Timings().faster(20), 1.0)
    assert list(watch.spans(NOTHING, 0.0, 30.0, Wait.LOOK, company=False)) == [Span(27.5, 30.0)]


def test_everything_before_the_next_span_is_skipped() -> None:
    """Inside one nothing is."""
    some = [Span(40.0, 56.0), Span(50.0, 60.0), Span(584.0, 631.0)]
    assert jump_to(some, 0.0, 600.0) == 40.0
    assert jump_to(some, 45.0, 600.0) == 45.0
    assert stay_until(some, 45.0, 600.0) == 56.0
    assert stay_until(some, 57.0, 600.0) == 60.0
    assert jump_to(some, 60.0, 600.0) == 584.0
    assert jump_to(some, 700.0, 900.0) == 900.0
    assert stay_until(some, 590.0, 600.0) == 600.0


HEAD = """
scenario: A story of waits
clauses: [CMD-1]
agents: {alpha: manual}
steps:"""


def kinds(text: str) -> list[Wait]:
    found = waits(scene(HEAD + text).steps)
    places = sorted(found, key=lambda place: (place.line, place.column))
    return [found[place] for place in places]


def test_what_follows_a_wait_decides() -> None:
    """A step that expects looks; one that only leads on does not, nor does another wait."""
    story = """
  - wait: 1m
  - wait: 1m
  - heartbeat: alpha
  - wait: 1m
  - expect: {agent: alpha, status: online}
  - wait: 1m
  - until: {within: 1m, expect: {agent: alpha, status: offline}}
  - wait: 1m
  - poll: alpha
    expect: {command: null}
  - wait: 1m
"""
    assert kinds(story) == [Wait.ON, Wait.ON, Wait.LOOK, Wait.UNTIL, Wait.LOOK, Wait.ON]


def test_a_wait_at_the_end_of_a_loop_leads_to_its_beginning_and_out_of_it() -> None:
    """The stronger of both counts."""
    story = """
  - for_each:
      in: [1, 2]
      do:
        - heartbeat: alpha
        - wait: 30s
  - expect: {agent: alpha, status: online}
  - for_each:
      in: [1, 2]
      do:
        - heartbeat: alpha
        - wait: 30s
  - until: {within: 1m, expect: {agent: alpha, status: offline}}
  - for_each:
      in: [1, 2]
      do:
        - expect: {agent: alpha, status: offline}
        - wait: 30s
"""
    assert kinds(story) == [Wait.LOOK, Wait.UNTIL, Wait.LOOK]


def test_a_wait_before_several_steps_at_once_serves_all_of_them() -> None:
    """And one among them what comes after."""
    story = """
  - wait: 1m
  - together:
      - heartbeat: alpha
      - expect: {agent: alpha, status: online}
      - wait: 1m
  - until: {within: 1m, expect: {agent: alpha, status: offline}}
"""
    assert kinds(story) == [Wait.LOOK, Wait.UNTIL]
