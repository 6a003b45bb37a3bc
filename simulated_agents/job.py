"""One command on its way through an agent, and how its agent writes to the record behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from simulated_agents.client import CALL_FAILED, AgentClient
from simulated_agents.clock import Clock
from simulated_agents.life import Point
from simulated_agents.messages import Command, RecordReport, RestoreReport
from simulated_agents.plan import WorkPlan
from simulated_agents.releases import Release


@dataclass(frozen=True, slots=True)
class Job:
    """One command on its way through an agent.

    Attributes:
        command: what is to be done.
        client: the way to the master.
        release: what the agent does as its release does.
        clock: how work takes time.
        plan: how it goes.
        at: told of each point of the command's life; may wait, or raise.
        begin: told that the command's effect begins.
        note: told of each call that failed.

    """

    command: Command
    client: AgentClient
    release: Release
    clock: Clock
    plan: WorkPlan
    at: Callable[[Point], Awaitable[None]]
    begin: Callable[[], None]
    note: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be said of a command when it is over.

    Attributes:
        error: the error's text; none is success.
        result: what a success brought.

    """

    error: str = ""
    result: Any = None
    success: bool = field(default=True)


def failure(error: str) -> Report:
    """Return the report of a command that failed."""
    return Report(error, success=False)


class Progress:
    """A backup or restore record, as its agent writes to it.

    Args:
        job: the command.
        record_id: which record.
        update: reports about it.
        report: what a report is.

    """

    def __init__(
        self,
        job: Job,
        record_id: int,
        update: Callable[[int, Any], Awaitable[None]],
        report: type[RecordReport | RestoreReport],
    ) -> None:
        self._job = job
        self._id = record_id
        self._update = update
        self._report = report

    async def tell(self, **fields: Any) -> None:
        """Report, and never mind the answer."""
        try:
            await self._update(self._id, self._report(**fields))
        except CALL_FAILED as error:
            self._job.note(error)

    async def log(self, line: str) -> None:
        """Append a line."""
        await self.tell(logAppend=line + "\n")

    async def finish(self, **fields: Any) -> str | None:
        """Report the end; return the error that keeps the master from knowing, if any."""
        await self._job.at(Point.WORKED)
        try:
            await self._update(self._id, self._report(status="success", **fields))
        except CALL_FAILED as error:
            self._job.note(error)
            return str(error)
        await self._job.at(Point.RECORDED)
        return None

    async def fail(self, message: str, error: str | None = None, **fields: Any) -> Report:
        """Report a failure: `message` to the record, `error` to the command."""
        await self._job.at(Point.WORKED)
        await self.tell(
            status="failed", errorMessage=message, logAppend=f"[agent] 错误: {message}\n", **fields
        )
        await self._job.at(Point.RECORDED)
        return failure(message if error is None else error)
