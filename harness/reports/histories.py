"""The histories of a run as files: one of JSON lines a scenario, without secrets."""

from pathlib import Path

from harness.history import History
from harness.runner import Listener
from harness.verdict import Outcome


class Histories(Listener):
    """Writes each history as soon as its scenario is over.

    Args:
        folder: where to; a scenario `area/name` goes into `area/name.jsonl`.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Write the file, if the scenario was played."""
        if history is None:
            return
        path = self._folder / f"{outcome.scenario.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(history.lines()))
