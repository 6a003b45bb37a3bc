"""What is to be run, and who hears about it."""

from dataclasses import dataclass, field
from typing import Final

from harness.history import History
from harness.scenario.catalogue import Catalogue
from harness.scenario.known import KnownFailures
from harness.scenario.model import Scenario
from harness.sites.file import TargetFile
from harness.sites.order import Order
from harness.target import MakeMaster
from harness.trial.trial import Trial
from harness.verdict import Outcome, Report, Rules
from master.core import Master

SPEED: Final = 20.0
"""How much faster than the seed's timers a real-clock run goes, unless it is told otherwise."""

SPEEDS: Final = {"virtual": SPEED, "real": SPEED, "warp": 1.0}
"""The same for each clock; on virtual time it means nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        scenarios: those that were selected.
        catalogue: the clauses.
        profile: the release that the master is.
        clock: `virtual`, `real` or `warp`.
        seed: decides all that is random.
        speed: how much faster than written time passes on the real clock.
        make_master: makes the master of a simulation.
        target_file: the server that is played on; `None` for one that muster makes itself.
        order: how that is to be played on.
        known: the known failures.
        strict: a SHOULD counts as a MUST.
        asked: what the scenarios were selected by, in words; `None` when by nothing.
        trial: the program that is judged in place of a master, if any.

    """

    scenarios: tuple[Scenario, ...]
    catalogue: Catalogue
    profile: str
    clock: str
    seed: int
    speed: float = SPEED
    make_master: MakeMaster = Master
    target_file: TargetFile | None = None
    order: Order | None = None
    known: KnownFailures = field(default_factory=KnownFailures)
    strict: bool = False
    asked: str | None = None
    trial: Trial | None = None

    @property
    def target(self) -> str:
        """Return what known failures call the target."""
        if self.trial is not None:
            return "agent"
        return "embedded" if self.clock == "virtual" else "real"

    @property
    def rules(self) -> Rules:
        """Return what its outcomes are judged by."""
        return Rules(self.catalogue, self.profile, self.target, self.known, self.strict)


class Listener:
    """What hears about a run while it is on; a class that inherits it overrides what it wants.

    A history is handed over once and kept by nobody here, because that of an hour of fifty agents
    is a hundred thousand operations. Who wants it makes of it what it needs, there and then.
    """

    def started(self, plan: Plan) -> None:
        """Hear that a run begins."""

    def playing(self, scenario: Scenario) -> None:
        """Hear that a scenario begins."""

    def waiting(self, scenario: Scenario, what: str, for_s: float) -> None:
        """Hear that a scenario waits: for what, and for how many seconds at most.

        Only where seconds pass.
        """

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Hear what came of a scenario, with what happened in it; `None` when it was skipped."""

    def finished(self, report: Report) -> None:
        """Hear what came of the run."""
