"""Scenarios written inside tests."""

import tempfile
import textwrap
from pathlib import Path

from harness.commands.options import SCENARIOS
from harness.history import History
from harness.scenario.catalogue import Catalogue
from harness.scenario.loader import load_all
from harness.scenario.model import Scenario
from harness.target import MakeMaster, play_embedded
from harness.verdict import Outcome
from master.core import Master
from master.protocol.profiles import PROFILES

CATALOGUE = Catalogue.read(SCENARIOS / "clauses.toml")


def scene(text: str, name: str = "scene.yaml") -> Scenario:
    """Return the scenario that a text is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(textwrap.dedent(text), "utf-8")
        (loaded,) = load_all([path], CATALOGUE)
    return loaded


def play_text(
    text: str, *, seed: int = 0, make_master: MakeMaster = Master
) -> tuple[Outcome, History]:
    """Play the scenario that a text is, on virtual time."""
    return play_embedded(scene(text), PROFILES["2.0"], seed, make_master)
