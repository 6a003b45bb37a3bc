"""Mutants of AGT about ways: through the master or not, where an answer leads, and again when nothing came."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_MODE: Final = '        mode = (target.transferMode if self._job.release.relays else "") or UNSET\n'
_RESULT: Final = (
    '        await self._surely(f"/api/agent/commands/{command_id}/result", wire.encode(report))\n'
)
_LOST: Final = """\
            except NoReply:
                pass
"""
_ERROR: Final = "                if error.status < _SERVER_ERROR:\n"
_END: Final = """\
        send = self._surely if report.status else partial(self.call, "POST")  # a status is an end
"""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-does-not-say-how-it-stored",
        "AGT-21",
        "What is said of each target leaves out how it was reached.",
        (_MODE, "        mode = UNSET\n"),
    ),
    mutant(
        "agent-calls-all-targets-relayed",
        "AGT-21",
        "All targets are said to have been reached through the master.",
        (_MODE, '        mode = "master_relay"\n'),
    ),
    mutant(
        "agent-goes-where-it-is-led",
        "AGT-51",
        "Redirects are followed, as the older releases do.",
        ("    follows_redirects=False,\n", "    follows_redirects=True,\n"),
    ),
    mutant(
        "agent-sends-a-result-once",
        "AGT-49",
        "A result that got lost stays lost.",
        (_RESULT, _RESULT.replace("_surely(", 'call("POST", ')),
    ),
    mutant(
        "agent-takes-errors-for-answers",
        "AGT-49",
        "A result that was answered by an error of the server is not sent again.",
        (_ERROR, "                if error.status:\n"),
    ),
    mutant(
        "agent-takes-silence-for-an-answer",
        "AGT-49",
        "A result that was not answered is taken for heard.",
        (_LOST, _LOST.replace("pass\n", "raise\n")),
    ),
    mutant(
        "agent-reports-an-end-once",
        "AGT-62",
        "The report that ends a record is not sent again.",
        (_END, '        send = partial(self.call, "POST")\n'),
    ),
)
