"""The histories of a run as files: one of JSON lines a scenario, without secrets."""

from pathlib import Path

from harness.history import History
from harness.plan import Listener, Plan
from harness.verdict import Outcome


class Histories(Listener):
    """Writes each history as soon as its scenario is over.

    Args:
        folder: where to; a scenario `area/name` goes into `area/name.jsonl`.
        all_profiles: there are several runs, one a profile, each with a folder of its own.

    """

    def __init__(self, folder: Path, *, all_profiles: bool = False) -> None:
        self._top = folder
        self._all_profiles = all_profiles
        self._folder = folder

    def started(self, plan: Plan) -> None:
        """Go to the folder of the run's profile."""
        if self._all_profiles:
            self._folder = self._top / plan.profile

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Write the file, if the scenario was played."""
        if history is None:
            return
        path = self._folder / f"{outcome.scenario.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(history.lines()))
