"""Answers that say that a server stumbled: what is asked again, and what a failure after one is worth."""

from dataclasses import replace

import pytest
from scenes import scene

from harness.hiccups import PAUSES_S, PLAYS_MAX, Hiccups, expects_one, is_hiccup
from harness.sites.again import settled
from harness.verdict import Failure, Outcome, Verdict
from master.protocol.exchange import Request, Response
from simulated_agents.clock import RealClock

STUMBLED = Response(500, b'{"code":"INTERNAL_ERROR","message":"m"}')
FINE = Response(200, b'{"code":"OK","message":"success"}')
POLL = Request("POST", "/api/agent/commands/poll")

STORY = """
scenario: Something is shown
clauses: [CMD-1]
agents: {alpha: manual}
steps: [{poll: alpha, expect: {status: 200}}]
"""


class Stumbling:
    """A way to a master that stumbles so many times, and then answers.

    Args:
        times: how often.

    """

    def __init__(self, times: int) -> None:
        self._left = times
        self.asked = 0

    async def send(self, request: Request) -> Response:  # noqa: ARG002
        self.asked += 1
        self._left -= 1
        return STUMBLED if self._left >= 0 else FINE


class Hurried(RealClock):
    """A clock on which a pause is none."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize(
    "request_",
    [
        POLL,
        Request("POST", "/api/agent/heartbeat"),
        Request("GET", "/api/nodes/2"),
        Request("GET", "/api/v1/agent/self"),
    ],
    ids=lambda one: one.path,
)
async def test_what_is_safe_is_asked_again(request_: Request) -> None:
    """Each hiccup is noted and counted, and the answer is the one that came in the end."""
    noted: list[str] = []
    hiccups, port, clock = Hiccups(PAUSES_S, noted.append), Stumbling(2), Hurried()

    assert await hiccups.send(port, request_, clock) is FINE
    assert (port.asked, hiccups.count, hiccups.final) == (3, 2, [])
    assert len(noted) == 2
    assert all("500, asked again" in line for line in noted)
    assert clock.slept == list(PAUSES_S[:2])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/backup/tasks/7/run"),
        ("POST", "/api/agent/records/7"),
        ("PUT", "/api/nodes/7"),
        ("GET", "/api/nodes/7/fs/list"),
        ("GET", "/api/install/abc"),
    ],
)
async def test_what_changes_something_is_asked_once(method: str, path: str) -> None:
    """Nobody knows whether it has been done, so it is not done twice; it counts all the same."""
    hiccups, port = Hiccups(PAUSES_S), Stumbling(1)

    assert await hiccups.send(port, Request(method, path), Hurried()) is STUMBLED
    assert (port.asked, hiccups.count) == (1, 1)
    assert hiccups.final == [
        f"{method} {path.replace('/7', '/…')}".replace("POST /api/agent/records/…", "update_record")
    ]


async def test_a_server_that_only_stumbles_is_given_up() -> None:
    """After a few times the answer is what it is, and the call is known by its kind."""
    hiccups, port = Hiccups(PAUSES_S), Stumbling(99)

    assert await hiccups.send(port, POLL, Hurried()) is STUMBLED
    assert (port.asked, hiccups.final) == (len(PAUSES_S) + 1, ["poll"])


async def test_nothing_stumbles_in_a_simulation() -> None:
    """There an answer 500 is what the master says."""
    hiccups, port = Hiccups(), Stumbling(1)

    assert await hiccups.send(port, POLL, Hurried()) is STUMBLED
    assert (port.asked, hiccups.count) == (1, 0)


def test_which_answers_are_hiccups() -> None:
    """Only those that say nothing of what became of the call."""
    assert is_hiccup(STUMBLED)
    assert is_hiccup(Response(500, b'{"code":"BACKUP_RECORD_CREATE_FAILED"}'))
    assert not is_hiccup(Response(500, b'{"code":"AGENT_RESULT_INVALID"}'))
    assert not is_hiccup(Response(500, b"oops"))
    assert not is_hiccup(Response(500, b"[]"))
    assert not is_hiccup(Response(503, STUMBLED.body))


def test_which_expectations_speak_of_one() -> None:
    """However deep they say it; a number that is no status may be 500 as well, and is asked once."""
    assert expects_one({"status": 500})
    assert expects_one({"status": {"one_of": [200, 500]}})
    assert expects_one({"any": {"code": "INTERNAL_ERROR"}})
    assert expects_one({"code": "BACKUP_RECORD_DELETE_FAILED"})
    assert not expects_one({"status": 200, "data": {"size": "500"}})


# --- what a play is worth -------------------------------------------------------------------------


def play(verdict: Verdict, *, hiccups: int = 0, at: str = "f:1:1", stumbled: str = "") -> Outcome:
    """Return what came of a play."""
    failure = Failure(at, "step", "expected", "seen", 0.0, []) if verdict is Verdict.FAIL else None
    return Outcome(
        scene(STORY),
        verdict,
        broken=("CMD-1",) if failure else (),
        failure=failure,
        hiccups=hiccups,
        stumbled=(stumbled,) if stumbled else (),
    )


def test_a_failure_without_a_hiccup_decides() -> None:
    """At once, or after plays with some."""
    assert settled([play(Verdict.FAIL)]).verdict is Verdict.FAIL  # type: ignore[union-attr]
    outcome = settled([play(Verdict.FAIL, hiccups=2), play(Verdict.FAIL)])
    assert outcome is not None
    assert (outcome.verdict, outcome.broken, outcome.hiccups) == (Verdict.FAIL, ("CMD-1",), 2)


def test_a_pass_decides_whatever_was_before() -> None:
    """All hiccups are counted."""
    outcome = settled([play(Verdict.FAIL, hiccups=2), play(Verdict.PASS, hiccups=1)])
    assert outcome is not None
    assert (outcome.verdict, outcome.hiccups) == (Verdict.PASS, 3)


def test_a_failure_after_a_hiccup_is_played_again() -> None:
    """Until there were enough plays; then nobody can tell."""
    failed = play(Verdict.FAIL, hiccups=1)
    for count in range(1, PLAYS_MAX):
        assert settled([failed] * count) is None
    outcome = settled([failed] * PLAYS_MAX)

    assert outcome is not None
    assert (outcome.verdict, outcome.broken) == (Verdict.UNKNOWN, ())
    assert "500 (4 in all)" in str(outcome.reason)


def test_the_same_call_without_another_answer_is_a_failure() -> None:
    """In every play, and each ended at the same step."""
    failed = play(Verdict.FAIL, hiccups=1, stumbled="POST /api/backup/tasks/…/run")
    elsewhere = play(Verdict.FAIL, hiccups=1, at="f:2:1", stumbled="POST /api/backup/tasks/…/run")
    other = play(Verdict.FAIL, hiccups=1, stumbled="poll")

    def verdict(last: Outcome) -> Verdict:
        outcome = settled([*[failed] * (PLAYS_MAX - 1), last])
        assert outcome is not None
        return outcome.verdict

    assert verdict(failed) is Verdict.FAIL
    assert verdict(elsewhere) is Verdict.UNKNOWN
    assert verdict(other) is Verdict.UNKNOWN


def test_what_was_late_is_played_once_more() -> None:
    """And then it stays unknown."""
    late = replace(play(Verdict.UNKNOWN), dragged=True)

    assert settled([late]) is None
    assert settled([late, late]) is not None


def test_a_fault_of_ours_is_not_played_again() -> None:
    """It would only come again."""
    fault = replace(play(Verdict.UNKNOWN, hiccups=1), fault=True)

    assert settled([fault]) is not None
