"""Each checker: the smallest history that it refuses, beside the smallest that it passes."""

from collections.abc import Callable
from typing import Any

import pytest
from tales import START, Tale, alarms, begun, judged

from harness.about import About
from harness.checkers.registry import CHECKERS
from harness.verdict import Verdict

Tell = Callable[[], Tale]

BAD: list[tuple[str, str, Tell]] = []
GOOD: list[tuple[str, Tell]] = []


def bad(checker: str, clause: str) -> Callable[[Tell], Tell]:
    """Note a history that a checker must refuse, by one clause."""

    def note(tell: Tell) -> Tell:
        BAD.append((checker, clause, tell))
        return tell

    return note


def good(checker: str) -> Callable[[Tell], Tell]:
    """Note a history that a checker must pass, having judged it."""

    def note(tell: Tell) -> Tell:
        GOOD.append((checker, tell))
        return tell

    return note


# --- no phantom, routing, claimed once -----------------------------------------------------------


@good("no phantom")
@good("routing")
@good("claimed once")
@good("life cycle")
def a_backup() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.report("alpha", 1, status="success", logAppend="done\n")
    tale.result("alpha", 1)
    tale.see(1, "success")
    return tale


@bad("no phantom", "CMD-12")
def nobody_ran_it() -> Tale:
    tale = begun()
    tale.refused("admin", "POST /api/backup/tasks/1/run", 400, "NODE_OFFLINE")
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@bad("no phantom", "CMD-12")
def a_listing_that_was_refused() -> Tale:
    tale = begun()
    tale.refused("admin", "GET /api/nodes/2/fs/list?path=/x", 400, "NODE_OFFLINE")
    tale.poll("alpha", 1, kind="list_dir", path="/x")
    return tale


@good("no phantom")
def an_answer_that_was_lost() -> Tale:
    tale = begun()
    tale.lose(tale.begin("admin", "POST /api/backup/tasks/1/run"))
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@good("no phantom")
def one_that_the_schedule_ran() -> Tale:
    tale = begun()
    tale.did(
        "admin", "PUT /api/backup/tasks/1", {}, {"id": 1, "nodeId": 2, "cronExpr": "* * * * *"}
    )
    tale.refused("admin", "POST /api/backup/tasks/1/run", 400, "NODE_OFFLINE")
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@bad("no phantom", "CMD-12")
def another_command_for_a_record_that_the_schedule_made() -> Tale:
    tale = one_that_the_schedule_ran()
    tale.poll("alpha", 2, recordId=1, taskId=1)
    return tale


@bad("no phantom", "CMD-7")
def another_task() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=9)
    return tale


@bad("routing", "CMD-3")
def another_nodes_backup() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.run(1, 1)
    tale.poll("beta", 1, recordId=1, taskId=1)
    return tale


@bad("routing", "CMD-3")
def another_nodes_listing() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    listing = tale.begin("admin", "GET /api/nodes/2/fs/list?path=/x")
    tale.poll("beta", 1, kind="list_dir", path="/x")
    tale.end(listing, [])
    return tale


@good("routing")
def a_task_that_moves() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.did("admin", "PUT /api/backup/tasks/1", {}, {"id": 1, "nodeId": 3, "cronExpr": ""})
    tale.run(1, 1)
    tale.poll("beta", 1, recordId=1, taskId=1)
    return tale


@bad("claimed once", "CMD-4")
def two_processes_with_one_token() -> Tale:
    tale = begun()
    tale.tokens["clone"] = tale.tokens["alpha"]
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.poll("clone", 1, recordId=1, taskId=1)
    return tale


@bad("claimed once", "CMD-4")
def a_lost_reply_and_the_next() -> Tale:
    """The history knows what the reply held that the agent never saw."""
    tale = begun()
    tale.run(1, 1)
    poll = tale.begin("alpha", "POST /api/agent/commands/poll")
    tale.fault(poll, "drop_reply", tale.command(1, recordId=1, taskId=1), reached=True)
    tale.lose(poll)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@bad("claimed once", "CMD-4")
def one_request_twice() -> Tale:
    tale = begun()
    tale.run(1, 1)
    poll = tale.begin("alpha", "POST /api/agent/commands/poll")
    tale.fault(poll, "duplicate", tale.command(1, recordId=1, taskId=1), reached=True)
    tale.end(poll, tale.command(1, recordId=1, taskId=1))
    return tale


@good("claimed once")
def one_request_twice_and_two_commands() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    poll = tale.begin("alpha", "POST /api/agent/commands/poll")
    tale.fault(poll, "duplicate", tale.command(2, recordId=2, taskId=1), reached=True)
    tale.end(poll, tale.command(1, recordId=1, taskId=1))
    return tale


@bad("claimed once", "DUR-2")
def again_after_a_crash() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.note("master killed")
    tale.note("master started")
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


# --- orphans, conservation, order, progress ---------------------------------------------------------


@good("orphans explained")
def passed_over_with_a_lost_reply() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.lost_poll("alpha")
    tale.poll("alpha", 2, recordId=2, taskId=1)
    return tale


@bad("orphans explained", "CMD-13")
def passed_over_for_nothing() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.poll("alpha", 2, recordId=2, taskId=1)
    return tale


@bad("orphans explained", "CMD-13")
def a_request_that_never_arrived() -> Tale:
    """A poll that was lost on its way out cannot have taken a command along."""
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    poll = tale.begin("alpha", "POST /api/agent/commands/poll")
    tale.fault(poll, "drop_request", reached=False)
    tale.lose(poll)
    tale.poll("alpha", 2, recordId=2, taskId=1)
    return tale


@bad("orphans explained", "CMD-13")
def two_orphans_and_one_lost_reply() -> Tale:
    tale = begun()
    for record in (1, 2, 3):
        tale.run(1, record)
    tale.lost_poll("alpha")
    tale.poll("alpha", 3, recordId=3, taskId=1)
    return tale


@bad("orphans explained", "CMD-13")
def a_reply_lost_too_late() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.poll("alpha", 2, recordId=2, taskId=1)
    tale.lost_poll("alpha")
    return tale


@bad("orphans explained", "CMD-13")
def another_nodes_lost_reply() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.run(1, 1)
    tale.run(1, 2)
    tale.lost_poll("beta")
    tale.poll("alpha", 2, recordId=2, taskId=1)
    return tale


@good("conservation")
def a_queue_that_is_emptied() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.poll("alpha")
    return tale


@bad("conservation", "CMD-13")
def a_command_that_is_gone() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha")
    return tale


@bad("conservation", "CMD-13")
def gone_before_it_was_too_old() -> Tale:
    tale = begun("2.4")
    tale.run(1, 1)
    tale.later(599)
    tale.poll("alpha")
    return tale


@good("conservation")
def too_old_to_be_handed_out() -> Tale:
    tale = begun("2.4")
    tale.run(1, 1)
    tale.later(631)
    tale.poll("alpha")
    return tale


@good("conservation")
def ended_before_it_was_handed_out() -> Tale:
    """The oldest release takes the result of a command that nobody took."""
    tale = begun()
    tale.run(1, 1)
    tale.result("alpha", 1)
    tale.poll("alpha")
    return tale


@good("order")
def in_order() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.poll("alpha", 2, recordId=2, taskId=1)
    return tale


@bad("order", "CMD-1")
def newest_first() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.poll("alpha", 2, recordId=2, taskId=1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@bad("order", "CMD-1")
def by_something_else_than_age() -> Tale:
    """The ids rise, and what was asked for first still comes last."""
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 2)
    tale.poll("alpha", 1, recordId=2, taskId=1)
    tale.poll("alpha", 2, recordId=1, taskId=1)
    return tale


@good("order")
def polls_that_overlap() -> Tale:
    tale = begun()
    tale.tokens["clone"] = tale.tokens["alpha"]
    tale.run(1, 1)
    tale.run(1, 2)
    left = tale.begin("alpha", "POST /api/agent/commands/poll")
    right = tale.begin("clone", "POST /api/agent/commands/poll")
    tale.end(left, tale.command(2, recordId=2, taskId=1))
    tale.end(right, tale.command(1, recordId=1, taskId=1))
    tale.poll("alpha")
    tale.run(1, 3)
    tale.poll("alpha", 3, recordId=3, taskId=1)
    return tale


@bad("progress", "CMD-13")
def nothing_but_errors() -> Tale:
    tale = begun()
    tale.run(1, 1)
    for _ in range(11):
        tale.end(
            tale.begin("alpha", "POST /api/agent/commands/poll"), None, 500, "AGENT_RESULT_INVALID"
        )
    return tale


@bad("progress", "CMD-13")
def nothing_but_errors_once_healed() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.lost_poll("alpha")
    tale.note("phase: heal")
    for _ in range(11):
        tale.end(tale.begin("alpha", "POST /api/agent/commands/poll"), None, 503, "BUSY")
    return tale


@good("progress")
def an_error_and_then_the_command() -> Tale:
    tale = begun()
    tale.run(1, 1)
    for _ in range(10):
        tale.end(
            tale.begin("alpha", "POST /api/agent/commands/poll"), None, 500, "AGENT_RESULT_INVALID"
        )
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


# --- records ----------------------------------------------------------------------------------------


def claimed(profile: str = "2.0") -> Tale:
    """Return a tale in which a backup is under way."""
    tale = begun(profile)
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


@bad("life cycle", "RES-7")
def success_by_a_result() -> Tale:
    tale = claimed()
    tale.result("alpha", 1)
    tale.see(1, "success")
    return tale


@bad("life cycle", "REC-30")
def a_word_of_nobodys() -> Tale:
    tale = claimed("strict")
    tale.see(1, "archived")
    return tale


@good("life cycle")
def a_word_of_the_agents() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, status="archived")
    tale.see(1, "archived")
    return tale


@good("terminal absorbs")
def ends_and_stays() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success", fileSize=5)
    tale.report("alpha", 1, status="failed")
    tale.see(1, "success", fileSize=5)
    return tale


@bad("terminal absorbs", "REC-12")
def a_late_report_counts() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success")
    tale.report("alpha", 1, status="failed")
    tale.see(1, "failed")
    return tale


@bad("terminal absorbs", "REC-12")
def an_end_that_moves() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success")
    tale.see(1, "success", completedAt="2026-01-02T00:00:00Z")
    return tale


@good("terminal absorbs")
def the_oldest_release_takes_late_reports() -> Tale:
    tale = claimed("2.0")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success")
    tale.see(1, "success")
    tale.report("alpha", 1, status="failed")
    tale.see(1, "failed")
    return tale


@good("terminal absorbs")
def an_end_that_is_moved_with_all_times() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success", completedAt="2026-01-01T00:00:30Z", durationSeconds=30)
    tale.note("warp 19 s: 4 rows moved back")
    tale.did(
        "admin",
        "GET /api/backup/records/1",
        None,
        tale.record(
            1,
            "success",
            startedAt="2025-12-31T23:59:41Z",
            completedAt="2026-01-01T00:00:11Z",
            durationSeconds=30,
        ),
    )
    return tale


@bad("terminal absorbs", "TMO-5")
def an_end_that_changes_unasked() -> Tale:
    tale = claimed("2.0")
    tale.report("alpha", 1, status="success")
    tale.see(1, "success")
    tale.see(1, "failed")
    return tale


@bad("terminal absorbs", "RST-12")
def a_restore_that_ends_twice() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    restored = {"id": 1, "taskId": 1, "status": "running", "startedAt": START}
    tale.did("admin", "POST /api/backup/records/1/restore", None, restored)
    tale.poll("alpha", 2, kind="restore_record", restoreRecordId=1)
    ends = {"status": "failed", "completedAt": START, "durationSeconds": 0, "errorMessage": ""}
    ended = {**restored, **ends}
    tale.did("admin", "GET /api/restore/records/1", None, ended)
    tale.did("admin", "GET /api/restore/records/1", None, {**ended, "errorMessage": "again"})
    return tale


@good("results")
def a_listing() -> Tale:
    tale = begun()
    listing = tale.begin("admin", "GET /api/nodes/2/fs/list?path=/x")
    tale.poll("alpha", 1, kind="list_dir", path="/x")
    entry = {"name": "a", "path": "/x/a", "isDir": False, "size": 1}
    tale.result("alpha", 1, result={"entries": [entry]})
    tale.end(listing, [entry])
    return tale


@bad("results", "RPC-1")
def a_listing_of_other_things() -> Tale:
    tale = begun()
    listing = tale.begin("admin", "GET /api/nodes/2/fs/list?path=/x")
    tale.poll("alpha", 1, kind="list_dir", path="/x")
    tale.result("alpha", 1, result={"entries": []})
    tale.end(listing, [{"name": "a", "path": "/x/a", "isDir": False, "size": 1}])
    return tale


@bad("results", "RES-1")
def a_result_that_its_owner_may_not_send() -> Tale:
    tale = claimed()
    tale.refused(
        "alpha",
        "POST /api/agent/commands/1/result",
        401,
        "AGENT_COMMAND_FORBIDDEN",
        {"success": True},
    )
    return tale


@good("agreement")
def an_end_that_fails_its_record() -> Tale:
    tale = claimed("strict")
    tale.result("alpha", 1)
    tale.see(1, "failed")
    return tale


@bad("agreement", "RES-14")
def an_end_that_leaves_its_record() -> Tale:
    tale = claimed("strict")
    tale.result("alpha", 1)
    tale.see(1, "running")
    return tale


@bad("agreement", "RES-14")
def a_failed_end_that_leaves_its_record() -> Tale:
    tale = claimed("strict")
    tale.result("alpha", 1, success=False, errorMessage="no")
    tale.later(3600)
    tale.see(1, "running")
    return tale


@bad("linked failure", "REC-5")
def an_end_without_a_time() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, status="failed")
    tale.see(1, "failed", completedAt=None)
    return tale


@bad("linked failure", "REC-5")
def an_end_without_a_duration() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, status="failed")
    tale.see(1, "failed", completedAt="2026-01-01T00:00:30.5Z")
    return tale


@good("linked failure")
def an_end_with_its_duration() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, status="failed")
    tale.see(1, "failed", completedAt="2026-01-01T00:00:30.999999999Z", durationSeconds=30)
    return tale


@bad("no overwrite", "TMO-5")
def a_success_that_fails_later() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, status="success")
    tale.later(700)
    tale.see(1, "failed")
    return tale


@bad("no overwrite", "TMO-5")
def a_success_that_fails_later_where_ends_are_final() -> Tale:
    tale = claimed("2.4")
    tale.report("alpha", 1, status="success")
    tale.later(700)
    tale.see(1, "failed")
    return tale


@good("no overwrite")
def a_success_that_came_too_late() -> Tale:
    """It was given up before the report, which then had no effect."""
    tale = claimed("2.4")
    tale.later(700)
    tale.report("alpha", 1, status="success")
    tale.see(1, "failed")
    return tale


# --- time -------------------------------------------------------------------------------------------


@good("no early timeout")
def given_up_in_time() -> Tale:
    tale = claimed()
    tale.later(600)
    tale.see(1, "failed")
    return tale


@bad("no early timeout", "TMO-2")
def given_up_too_soon() -> Tale:
    tale = claimed()
    tale.later(599)
    tale.see(1, "failed")
    return tale


@bad("no early timeout", "TMO-14")
def given_up_though_it_reported() -> Tale:
    tale = claimed("2.4")
    tale.later(500)
    tale.report("alpha", 1, logAppend="still here\n")
    tale.later(500)
    tale.see(1, "failed")
    return tale


@good("no early timeout")
def reports_keep_nothing_alive_in_the_oldest_release() -> Tale:
    tale = claimed("2.0")
    tale.later(500)
    tale.report("alpha", 1, logAppend="still here\n")
    tale.later(500)
    tale.see(1, "failed")
    return tale


@bad("no early timeout", "TMO-14")
def given_up_though_its_node_lives() -> Tale:
    tale = claimed("2.4")
    for _ in range(50):
        tale.later(15)
        tale.beat("alpha")
    tale.see(1, "running")
    tale.later(15)
    tale.beat("alpha")
    tale.see(1, "failed")
    return tale


@bad("no early timeout", "RPC-3")
def a_listing_given_up_too_soon() -> Tale:
    tale = begun()
    listing = tale.begin("admin", "GET /api/nodes/2/fs/list?path=/x")
    tale.later(14)
    tale.end(listing, None, 504, "AGENT_COMMAND_TIMEOUT")
    return tale


@good("bounded detection")
def given_up_at_last() -> Tale:
    tale = claimed()
    tale.later(631)
    tale.see(1, "failed", completedAt="2026-01-01T00:10:30Z", durationSeconds=630)
    return tale


@bad("bounded detection", "TMO-1")
def never_given_up() -> Tale:
    tale = claimed()
    tale.later(631)
    tale.see(1, "running")
    return tale


@bad("bounded detection", "TMO-1")
def never_given_up_though_nothing_was_heard() -> Tale:
    tale = claimed("2.4")
    tale.later(700)
    tale.see(1, "running")
    return tale


@good("presence")
def online_until_a_monitor_looks_after_a_warp() -> Tale:
    tale = begun()
    tale.note("warp 300 s: 4 rows moved back")
    tale.later(300)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    tale.later(15.1)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "offline")])
    return tale


@bad("presence", "OFF-1")
def online_long_after_a_warp() -> Tale:
    tale = begun()
    tale.note("warp 300 s: 4 rows moved back")
    tale.later(300)
    tale.later(15.1)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    return tale


@good("presence")
def heard_of_lately() -> Tale:
    tale = begun()
    tale.later(40)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    tale.later(20.1)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "offline")])
    return tale


@bad("presence", "OFF-2")
def offline_too_soon() -> Tale:
    tale = begun()
    tale.later(44)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "offline")])
    return tale


@bad("presence", "OFF-1")
def online_for_ever() -> Tale:
    tale = begun()
    tale.later(61)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    return tale


@bad("presence", "OFF-8")
def online_until_the_scan() -> Tale:
    tale = begun("2.4")
    tale.later(50)
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    return tale


@bad("presence", "NODE-1")
def online_from_the_beginning() -> Tale:
    tale = Tale()
    tale.node("alpha")
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])
    return tale


# --- logs -------------------------------------------------------------------------------------------


@good("append")
def a_log() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, logAppend="one\n")
    tale.report("alpha", 1, logAppend="two\n")
    tale.see(1, "running", logContent="one\ntwo\n")
    return tale


@bad("append", "LOG-1")
def a_text_that_is_lost() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, logAppend="one\n")
    tale.report("alpha", 1, logAppend="two\n")
    tale.see(1, "running", logContent="two\n")
    return tale


@bad("append", "LOG-1")
def a_text_that_is_there_twice() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, logAppend="one\n")
    tale.see(1, "running", logContent="one\none\n")
    return tale


@bad("append", "LOG-1")
def texts_in_another_order() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, logAppend="one\n")
    tale.report("alpha", 1, logAppend="two\n")
    tale.see(1, "running", logContent="two\none\n")
    return tale


@good("append")
def a_text_of_which_nobody_knows() -> Tale:
    tale = claimed()
    tale.lose(tale.begin("alpha", "POST /api/agent/records/1", {"logAppend": "one\n"}))
    tale.report("alpha", 1, logAppend="two\n")
    tale.see(1, "running", logContent="two\none\n")
    return tale


@good("append")
def a_text_that_was_sent_twice() -> Tale:
    tale = claimed()
    report = tale.begin("alpha", "POST /api/agent/records/1", {"logAppend": "one\n"})
    tale.fault(report, "duplicate", {"status": "ok"}, reached=True)
    tale.end(report, {"status": "ok"})
    tale.see(1, "running", logContent="one\none\n")
    return tale


@bad("append", "DUR-4")
def a_text_that_a_crash_took() -> Tale:
    tale = claimed()
    tale.report("alpha", 1, logAppend="one\n")
    tale.note("master killed")
    tale.note("master started")
    tale.see(1, "running", logContent="")
    return tale


@bad("append", "LOG-1")
def a_text_after_the_end() -> Tale:
    """Where ends are final, what is reported afterwards is in no log."""
    tale = claimed("2.4")
    tale.report("alpha", 1, logAppend="one\n", status="success")
    tale.report("alpha", 1, logAppend="two\n")
    tale.see(1, "success", logContent="one\ntwo\n")
    return tale


# --- who may do what --------------------------------------------------------------------------------


@good("ownership")
def a_stranger_is_refused() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.refused("beta", "POST /api/agent/commands/1/result", 401, "AGENT_COMMAND_FORBIDDEN", {})
    return tale


@bad("ownership", "RES-6")
def anothers_result() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.result("beta", 1)
    return tale


@bad("ownership", "REC-1")
def anothers_report() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.run(1, 1)
    tale.report("beta", 1, status="failed")
    return tale


@bad("ownership", "SPEC-4")
def anothers_specification() -> Tale:
    tale = begun("2.0", "alpha", "beta")
    tale.did("beta", "GET /api/agent/tasks/1", None, {"taskId": 1})
    return tale


@good("authentication")
def a_token_in_its_time() -> Tale:
    tale = begun()
    old = tale.tokens["alpha"]
    tale.tokens["alpha"] = "another-token"
    tale.did("admin", "POST /api/nodes/2/rotate-token", None, {"newToken": "another-token"})
    tale.beat("alpha")
    tale.beat("alpha", token=old)
    tale.later(90_000)
    tale.end(
        tale.begin("alpha", "POST /api/agent/heartbeat", {}, token=old),
        None,
        401,
        "NODE_INVALID_TOKEN",
    )
    return tale


@bad("authentication", "AUTH-1")
def no_token_at_all() -> Tale:
    tale = begun()
    tale.end(tale.begin("stranger", "POST /api/agent/commands/poll"), {"command": None})
    return tale


@bad("authentication", "AUTH-2")
def a_token_that_nobody_gave() -> Tale:
    tale = begun()
    tale.beat("alpha", token="guessed")
    return tale


@bad("authentication", "AUTH-20")
def a_token_that_is_forgotten() -> Tale:
    tale = begun()
    tale.refused("alpha", "POST /api/agent/commands/poll", 401, "NODE_INVALID_TOKEN")
    return tale


@bad("authentication", "ROT-1")
def a_new_token_that_does_not_count() -> Tale:
    tale = begun()
    tale.tokens["alpha"] = "another-token"
    tale.did("admin", "POST /api/nodes/2/rotate-token", None, {"newToken": "another-token"})
    tale.refused("alpha", "POST /api/agent/commands/poll", 401, "NODE_INVALID_TOKEN")
    return tale


@bad("authentication", "ROT-2")
def no_grace() -> Tale:
    tale = begun()
    tale.did("admin", "POST /api/nodes/2/rotate-token", None, {"newToken": "another-token"})
    tale.refused("alpha", "POST /api/agent/commands/poll", 401, "NODE_INVALID_TOKEN")
    return tale


@bad("authentication", "ROT-3")
def a_grace_without_end() -> Tale:
    tale = begun()
    tale.did("admin", "POST /api/nodes/2/rotate-token", None, {"newToken": "another-token"})
    tale.later(86_401)
    tale.beat("alpha")
    return tale


@bad("authentication", "ROT-4")
def a_token_before_the_last_two() -> Tale:
    tale = begun()
    for token in ("another-token", "a-third-token"):
        tale.did("admin", "POST /api/nodes/2/rotate-token", None, {"newToken": token})
    tale.beat("alpha")
    return tale


@bad("authentication", "AUTH-15")
def the_token_of_a_deleted_node() -> Tale:
    tale = begun()
    tale.did("admin", "DELETE /api/nodes/2")
    tale.beat("alpha")
    return tale


@bad("secrets", "SEC-3")
def a_token_in_a_list() -> Tale:
    tale = begun()
    tale.did(
        "admin",
        "GET /api/nodes",
        None,
        [{**tale.shown("alpha", "online"), "token": "token-of-alpha"}],
    )
    return tale


@bad("secrets", "SEC-1")
def a_password_in_a_task() -> Tale:
    tale = begun()
    tale.did(
        "admin", "GET /api/backup/tasks/1", None, {"id": 1, "nodeId": 2, "dbPassword": "hunter2"}
    )
    return tale


@bad("secrets", "SEC-2")
def credentials_in_a_target() -> Tale:
    tale = begun()
    shown = {"config": {"secretAccessKey": "hunter2hunter2"}, "maskedFields": ["secretAccessKey"]}
    tale.did("admin", "GET /api/storage-targets/1", None, shown)
    return tale


@good("secrets")
def credentials_behind_a_mask() -> Tale:
    tale = begun()
    shown = {"config": {"secretAccessKey": "********"}, "maskedFields": ["secretAccessKey"]}
    tale.did("admin", "GET /api/storage-targets/1", None, shown)
    return tale


@good("durability")
def there_after_a_crash() -> Tale:
    tale = claimed()
    tale.note("master killed")
    tale.note("master started")
    tale.see(1, "running")
    return tale


@bad("durability", "DUR-1")
def gone_after_a_crash() -> Tale:
    tale = claimed()
    tale.note("master killed")
    tale.note("master started")
    tale.refused("admin", "GET /api/backup/records/1", 404, "BACKUP_RECORD_NOT_FOUND")
    return tale


@bad("durability", "DUR-9")
def one_id_for_two() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.run(1, 1)
    return tale


@good("no phantom")
def a_command_that_muster_slipped_in() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.note("enqueued format_disk")
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.poll("alpha", 2, kind="format_disk")
    return tale


# --- the table --------------------------------------------------------------------------------------


def _name(value: Any) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("checker", "clause", "tell"), BAD, ids=_name)
def test_a_checker_refuses(checker: str, clause: str, tell: Tell) -> None:
    """It says FAIL, by the clause, and shows operations that are there."""
    tale = tell()

    found = tale.say(checker)

    assert found.verdict is Verdict.FAIL
    assert {one.clause for one in found.broken} == {clause}
    assert all(
        0 <= index < len(tale.history.ops) for one in found.broken for index in one.operations
    )
    assert found.broken[0].operations


@pytest.mark.parametrize(("checker", "tell"), GOOD, ids=_name)
def test_a_checker_passes(checker: str, tell: Tell) -> None:
    """It says PASS, which means that it has judged; and no other checker says anything against it."""
    tale = tell()

    assert tale.say(checker).verdict is Verdict.PASS
    assert alarms(tale.history, tale.profile) == []


@pytest.mark.parametrize(
    "checker", [one for one in CHECKERS if one.clauses], ids=lambda one: one.name
)
def test_no_checker_is_blind_or_mute(checker: Any) -> None:
    """Each is held against two histories that it refuses, and one that it passes."""
    if checker.about == "agents":
        pytest.skip("its clauses are those of agents")

    assert sum(name == checker.name for name, _, _ in BAD) >= 2
    assert sum(name == checker.name for name, _ in GOOD) >= 1


@pytest.mark.parametrize(
    ("checker", "tell"), [(checker, tell) for checker, _, tell in BAD], ids=_name
)
def test_nothing_is_said_of_a_master_that_was_tampered_with(checker: str, tell: Tell) -> None:
    """What was changed behind it is not its fault; a leaked secret is."""
    tale = tell()
    tale.note("tampered with the database")

    expected = Verdict.FAIL if checker == "secrets" else Verdict.VACUOUS

    assert tale.say(checker).verdict is expected


# --- histories that show a part ---------------------------------------------------------------------


def recorded_by_a_proxy(tale: Tale) -> Tale:
    tale.history.about = About(recorder="muster proxy", slack_s=0.0)
    return tale


@pytest.mark.parametrize(
    ("checker", "tell"),
    [
        ("no phantom", nobody_ran_it),
        ("authentication", a_token_that_nobody_gave),
        ("presence", online_from_the_beginning),
    ],
)
def test_what_may_have_passed_by_the_recorder_is_no_fault(checker: str, tell: Tell) -> None:
    """A proxy that stood before some sees a part, and nobody is blamed for the other."""
    tale = recorded_by_a_proxy(tell())

    assert tale.say(checker).verdict is not Verdict.FAIL


def test_the_administrators_side_alone_shows_nothing_of_agents() -> None:
    """Whose agents went past the recorder, of their records nothing can be said."""
    tale = Tale("2.4")
    tale.node("alpha")
    tale.task(1, "alpha")
    tale.run(1, 1)
    tale.later(60)
    tale.see(1, "success", fileSize=5)
    tale.see(1, "failed")
    tale.did("admin", "GET /api/nodes", None, [tale.shown("alpha", "online")])

    found = {
        name for name, one in judged(recorded_by_a_proxy(tale).history, "2.4").items() if one.broken
    }

    assert found == {"terminal absorbs"}


def test_an_agents_side_alone_is_judged_as_far_as_it_goes() -> None:
    """Who asked for a command is not in it; that it was handed out twice is."""
    alone = Tale()
    alone.history.about = About(recorder="muster proxy", slack_s=0.0)
    alone.tokens["alpha"] = "token-of-alpha"
    for _ in range(2):
        alone.poll("alpha", 1, recordId=1, taskId=1)
    alone.report("alpha", 1, status="success")
    alone.result("alpha", 1)

    found = {name for name, one in judged(alone.history, "2.0").items() if one.broken}

    assert found == {"claimed once"}
