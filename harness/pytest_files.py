"""Scenario files as tests of pytest: how they are collected, played and reported.

A scenario is an item; the clauses it speaks about are its markers. Each is a run of its own, so that
verdicts, known failures and explanations are those of `muster run`.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from harness.commands.aiming import LONGEST_S
from harness.commands.options import shortest
from harness.plan import SPEED, Plan
from harness.reports.explained import explain, stale_lines
from harness.runner import run as run_plan
from harness.scenario.catalogue import CATALOGUE_NAME
from harness.scenario.header import KNOWN_PROFILES
from harness.scenario.known import TARGETS
from harness.scenario.loader import ENDING
from harness.scenario.model import Scenario
from harness.scenario.suggest import did_you_mean
from harness.sites.file import ANY_VERSION, TargetFile, read_target
from harness.sites.order import Order
from harness.sites.served import ServerError
from harness.stop import StopError, first_message
from harness.suite import Suite
from harness.verdict import Outcome, Report, Verdict
from master.protocol.profiles import DEFAULT_PROFILE
from simulated_agents.ports import NoReply

SPEED_MAX: Final = 100.0
"""As of `muster run`."""


class MusterWarning(pytest.PytestWarning):
    """A SHOULD that does not hold; where warnings are errors, it is one."""


class NotPassedError(Exception):
    """A scenario that did not pass; the message explains it as a report does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options say.

    Attributes:
        target: `embedded` or `real`, as known failures name it.
        target_file: the server of a target file, where one is named.
        profile: the release to be judged as.
        seed: decides all that is random.
        speed: how much faster than written time passes on the real target.
        known: the file with known failures; the nearest one when `None`.
        strict: a SHOULD counts as a MUST.
        folders: where scenario files are, beside folders with a catalogue.

    """

    target: str
    target_file: TargetFile | None
    profile: str
    seed: int
    speed: float
    known: Path | None
    strict: bool
    folders: tuple[Path, ...]

    @property
    def order(self) -> Order | None:
        """Return how the target is to be played on; the log of its server goes beside its file."""
        if self.target_file is None:
            return None
        path = self.target_file.path
        return Order(path.with_name(f"{path.stem}.server.log"), LONGEST_S)

    @classmethod
    def read(cls, config: pytest.Config) -> "Settings":
        """Return what the options and settings of pytest say.

        Raises:
            pytest.UsageError: one of them means nothing.

        """
        known = _said(config, "known_failures")
        if known and not Path(known).is_file():
            raise pytest.UsageError(f"--muster-known-failures: expected a file, got {known!r}")
        said = _said(config, "target") or ""
        profile = _said(config, "profile")
        if profile is not None:
            _one_of("profile", profile, KNOWN_PROFILES)
        file = _target_file(said, profile, _said(config, "speed"))
        return cls(
            target=_one_of("target", said, TARGETS) if file is None else "real",
            target_file=file,
            profile=(profile or DEFAULT_PROFILE) if file is None else file.profile,
            seed=int(_number("seed", _said(config, "seed") or "0", whole=True)),
            speed=_number("speed", _said(config, "speed") or str(SPEED), whole=False),
            known=Path(known) if known else None,
            strict=config.getoption("--muster-strict") or config.getini("muster_strict"),
            folders=tuple(config.getini("muster_scenarios")),
        )


def _said(config: pytest.Config, name: str) -> str | None:
    option: str | None = config.getoption(f"muster_{name}")
    setting: str | None = config.getini(f"muster_{name}")
    return option or setting or None


def _target_file(said: str, profile: str | None, speed: str | None) -> TargetFile | None:
    """Return the target of a file that was named, `None` where it was a word.

    Raises:
        pytest.UsageError: there is no such file, something is wrong with it, or a speed is said too.

    """
    path = Path(said)
    if path.suffix != ".toml" and "/" not in said and ":" not in said and not path.is_file():
        return None
    if not path.is_file():
        expected = f"{', '.join(TARGETS)} or a target file that is there"
        raise pytest.UsageError(f"--muster-target: expected {expected}, got {said!r}")
    if speed is not None:
        raise pytest.UsageError(f"--muster-speed: how fast the target is, {said} says")
    try:
        file = read_target(path)
    except StopError as error:
        raise pytest.UsageError(error.message) from None
    return file if profile is None else replace(file, profile=profile, version=ANY_VERSION)


def _one_of(option: str, said: str, names: tuple[str, ...]) -> str:
    if said in names:
        return said
    hint = did_you_mean(said, names)
    message = f"--muster-{option}: expected one of {', '.join(names)}, got {said!r}"
    raise pytest.UsageError(f"{message}; {hint}" if hint else message)


def _number(option: str, said: str, *, whole: bool) -> float:
    try:
        number = int(said) if whole else float(said)
    except ValueError:
        number = -1
    if (whole and number >= 0) or (not whole and 1 <= number <= SPEED_MAX):
        return number
    range_text = "a whole number from 0" if whole else f"a number from 1 to {SPEED_MAX:g}"
    raise pytest.UsageError(f"--muster-{option}: expected {range_text}, got {said!r}")


class ScenarioFiles:
    """The part of the plugin that is there when there is a target.

    Args:
        config: that of pytest.

    """

    def __init__(self, config: pytest.Config) -> None:
        self.settings = Settings.read(config)
        self._config = config
        self._markers: set[str] = set()
        self._files = 0

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> "ScenarioFile | None":
        """Take a scenario file: one that is named, or in a folder of scenarios."""
        named = parent.session.isinitpath(file_path)
        if file_path.suffix != ENDING or not (named or self._in_a_folder_of_scenarios(file_path)):
            return None
        self._files += 1
        file: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
        file.plugin = self
        return file

    def _in_a_folder_of_scenarios(self, path: Path) -> bool:
        if any(path.is_relative_to(folder) for folder in self.settings.folders):
            return True
        root = self._config.rootpath
        within = [folder for folder in path.parents if folder.is_relative_to(root)]
        return any((folder / CATALOGUE_NAME).is_file() for folder in within)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse a run that was asked for scenarios and found none: it would test nothing.

        Raises:
            pytest.UsageError: it is such a run.

        """
        asked = self._config.getoption("--muster-target")
        if asked and not self._files and not session.testsfailed:
            raise pytest.UsageError(
                f"--muster-target {asked}: no scenario file was collected: expected files that end"
                f" in {ENDING}, named one by one, or in a folder with a {CATALOGUE_NAME} in or above"
                " it, or in a folder that the setting muster_scenarios names"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Let a skip be at the scenario's file, where pytest would say where it was raised."""
        report = yield
        if isinstance(item, ScenarioItem) and isinstance(report.longrepr, tuple):
            report.longrepr = (str(item.path), 1, report.longrepr[2])
        return report

    def mark(self, item: "ScenarioItem", suite: Suite) -> None:
        """Give an item a marker for each clause that it speaks about, registered as it must be."""
        for clause in item.scenario.speaks_about:
            if clause not in self._markers:
                self._markers.add(clause)
                text = suite.catalogue[clause].text
                self._config.addinivalue_line("markers", f"{clause}: {text}")
            item.add_marker(getattr(pytest.mark, clause))


class ScenarioFile(pytest.File):
    """A scenario file; its items are its scenarios: one, or one for each case.

    Attributes:
        plugin: what collected it.

    """

    plugin: ScenarioFiles

    def collect(self) -> Iterator["ScenarioItem"]:
        """Yield the scenarios of the file.

        Raises:
            StopError: something is wrong with it, with its catalogue or with the known failures.

        """
        suite = Suite.read((shortest(self.path),))
        known = suite.known_failures(self.plugin.settings.known)
        settings = self.plugin.settings
        for scenario in suite.scenarios:
            plan = Plan(
                scenarios=(scenario,),
                catalogue=suite.catalogue,
                profile=settings.profile,
                clock="virtual" if settings.target == "embedded" else "real",
                seed=settings.seed,
                speed=settings.speed
                if settings.target_file is None
                else settings.target_file.speed,
                target_file=settings.target_file,
                order=settings.order,
                known=known,
                strict=settings.strict,
            )
            name = scenario.id.rpartition("/")[2] if scenario.case is None else self._case(scenario)
            item: ScenarioItem = ScenarioItem.from_parent(self, name=name, plan=plan)
            self.plugin.mark(item, suite)
            yield item

    def _case(self, scenario: Scenario) -> str:
        return f"{self.path.stem}[{scenario.case}]"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """Show the mistakes of a file as they are, with their places."""
        if isinstance(excinfo.value, StopError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class ScenarioItem(pytest.Item):
    """A scenario.

    Args:
        plan: a run of it alone.

    """

    obj: Final = None
    """No function of Python; plugins such as pytest-trio look at that of every item."""

    def __init__(self, *, plan: Plan, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._plan = plan
        (self.scenario,) = plan.scenarios

    def runtest(self) -> None:
        """Play it.

        Raises:
            NotPassedError: it did not pass.

        """
        try:
            report = run_plan(self._plan, [])
        except* (ServerError, StopError, NoReply) as group:
            raise NotPassedError(f"the target: {first_message(group)}") from None
        if report.interrupted:
            raise KeyboardInterrupt
        (outcome,) = report.outcomes
        self.user_properties += [
            ("muster_verdict", outcome.verdict.value),
            ("muster_clauses", " ".join(self.scenario.speaks_about)),
            ("muster_profile", report.profile),
        ]
        if report.stale:
            raise NotPassedError("\n".join(stale_lines(report)))
        self._report(outcome, report)

    def _report(self, outcome: Outcome, report: Report) -> None:
        """Tell pytest what came of it, in pytest's own words where it has some."""
        reason = str(outcome.reason)
        text = "" if outcome.failure is None else explain(outcome, report).text()
        match outcome.verdict:
            case Verdict.PASS:
                return
            case Verdict.SKIP:
                pytest.skip(reason)
            case Verdict.WARN:
                self.warn(MusterWarning(f"WARN\n{text}"))
                return
            case Verdict.KNOWN:
                pytest.xfail(reason)
            case Verdict.FAIL:
                raise NotPassedError(text)
        raise NotPassedError(f"{outcome.verdict}: {reason}" + (f"\n{text}" if text else ""))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """Explain a scenario that did not pass as every report does."""
        if isinstance(excinfo.value, NotPassedError | MusterWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, and what pytest calls the test."""
        return self.path, 0, self.scenario.id
