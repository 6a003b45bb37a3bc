"""`muster check`: judge recorded histories, with no master at hand."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from harness.about import About
from harness.checkers.judged import Checker
from harness.checkers.registry import CHECKERS, Finding, judge, speaking_about
from harness.commands.options import DURATION, SCENARIOS, timer_options
from harness.commands.run import OUTPUT
from harness.observed.reading import HistoryError, Recorded, lines_of, read
from harness.observed.view import DEFAULT_SLACK_S, Rules, View
from harness.reports.judgement import SHOWN, Judgement, JudgementTerminal, Shown, document
from harness.scenario.catalogue import CATALOGUE_NAME, Catalogue
from harness.scenario.suggest import did_you_mean
from harness.sites.file import TargetFile, read_target
from harness.stop import StopError
from harness.verdict import Exit, Verdict
from master.config import Timings
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES

_TIMERS: Final = (
    "command_timeout_s",
    "command_scan_s",
    "offline_after_s",
    "offline_scan_s",
    "list_dir_timeout_s",
    "discover_timeout_s",
    "token_grace_s",
)
"""The timers that checkers go by."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help=f"The release to be judged as; what the history says when left out, else {DEFAULT_PROFILE}.",
)
@click.option("--clause", metavar="GLOB", help="Only what is about matching clauses: CMD-*.")
@click.option("--json", "json_file", type=OUTPUT, help="Write what was found as JSON.")
@click.option("--strict", is_flag=True, help="A SHOULD counts as a MUST.")
@click.option(
    "--target",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A target file: profile, timers and slack are those of its server.",
)
@click.option("--slack", type=DURATION, help="How late something may be noticed.")
@timer_options(*_TIMERS, defaults=False)
def check(
    paths: tuple[str, ...],
    profile: str | None,
    clause: str | None,
    json_file: Path | None,
    strict: bool,
    target: Path | None,
    slack: float | None,
    **timers: float | None,
) -> int:
    """Judge the histories in FILE… with every checker: files of JSON lines, folders of them, or -.

    A history is what `muster run --history` and `muster proxy` write. Timers are those that it
    names, else the seed's; an option counts before either.
    """
    catalogue = Catalogue.read(SCENARIOS / CATALOGUE_NAME)
    checkers = _asked(clause, catalogue)
    bench = _Bench(
        catalogue,
        profile,
        read_target(target) if target is not None else None,
        slack,
        {name: value for name, value in timers.items() if value is not None},
    )
    files = [file for path in paths for file in _files(path)]
    terminal = JudgementTerminal(catalogue, several=len(files) > 1)
    judgements = []
    for file in files:
        with _seekable(file) as place:
            recorded = _read(file, place)
            if recorded.cut is not None:
                click.echo(f"{recorded.cut}: the last line is cut off and left out", err=True)
            view = View(recorded, bench.rules(recorded))
            findings = judge(view, checkers, clause)
            judgement = _judgement(view, findings, place, bench.catalogue, strict=strict)
        terminal.show(judgement)
        judgements.append(judgement)
    code = terminal.close()
    if json_file is not None:
        _write(json_file, document(judgements, code))
    return code


class _Bench:
    """What histories are judged by.

    Args:
        catalogue: the clauses.
        profile: the one that was asked for.
        target: the target file that was named.
        slack_s: the slack that was asked for.
        timers: those that were asked for.

    """

    def __init__(
        self,
        catalogue: Catalogue,
        profile: str | None,
        target: TargetFile | None,
        slack_s: float | None,
        timers: dict[str, float],
    ) -> None:
        self.catalogue = catalogue
        self._profile = profile
        self._target = target
        self._slack_s = slack_s
        self._timers = timers

    def rules(self, recorded: Recorded) -> Rules:
        """Return what a history is judged by.

        Raises:
            StopError: it is of another release than the one that was asked for.

        """
        profile = self._profile_of(recorded)
        return Rules(
            profile=profile,
            clauses=frozenset(one.id for one in self.catalogue if profile in one.profiles),
            timings=self._timings(recorded.about),
            slack_s=self._slack(recorded.about),
        )

    def _profile_of(self, recorded: Recorded) -> str:
        said = recorded.about.profile
        if said is not None and said not in PROFILES:
            raise StopError(
                Exit.USAGE,
                f"{recorded.name}:1: expected a profile of {', '.join(PROFILES)}, got {said!r}",
            )
        asked = self._profile or (self._target.profile if self._target else None)
        if said is not None and asked is not None and said != asked:
            raise StopError(
                Exit.USAGE,
                f"{recorded.name} was recorded as profile {said}, and is to be judged as {asked};"
                f" leave --profile out, or record it again as {asked}",
            )
        return asked or said or DEFAULT_PROFILE

    def _timings(self, about: About) -> Timings:
        known = {timer.name for timer in fields(Timings)}
        said = {name: value for name, value in about.timings.items() if name in known}
        timings = self._target.timings if self._target else replace(Timings(), **said)
        return replace(timings, **self._timers)

    def _slack(self, about: About) -> float:
        if self._slack_s is not None:
            return self._slack_s
        if self._target is not None:
            return self._target.slack_s
        return DEFAULT_SLACK_S if about.slack_s is None else about.slack_s


def _asked(clause: str | None, catalogue: Catalogue) -> tuple[Checker, ...]:
    """Return the checkers that are asked for.

    Raises:
        StopError: none of them speaks about such a clause.

    """
    checkers = speaking_about(clause)
    if checkers or clause is None:
        return checkers
    spoken = dict.fromkeys(id_ for one in CHECKERS for id_ in one.clauses if id_ in catalogue)
    hint = did_you_mean(clause.rstrip("*-"), list(spoken))
    said = f"no checker speaks about --clause {clause!r}"
    raise StopError(Exit.NOTHING_TESTED, f"{said}; {hint}" if hint else said)


def _files(path: str) -> list[str]:
    """Return the histories at a path: itself, or all below it.

    Raises:
        StopError: there is none.

    """
    if path == "-":
        return [path]
    if Path(path).is_dir():
        found = [str(one) for one in sorted(Path(path).rglob("*.jsonl"))]
        if not found:
            raise StopError(Exit.USAGE, f"{path}: expected files that end in .jsonl, found none")
        return found
    if not Path(path).exists():
        raise StopError(Exit.USAGE, f"{path}: there is no such file")
    return [path]


@contextmanager
def _seekable(path: str) -> Iterator[str]:
    """Name a file that can be read twice: the standard input is kept in one of its own meanwhile."""
    if path != "-":
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="muster-check-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield copy.name


def _read(name: str, place: str) -> Recorded:
    try:
        return read(place, "(standard input)" if name == "-" else name)
    except HistoryError as error:
        raise StopError(Exit.USAGE, str(error)) from None
    except OSError as error:
        raise StopError(Exit.USAGE, f"{name} cannot be read: {error.strerror}") from None


def _judgement(
    view: View, findings: list[Finding], place: str, catalogue: Catalogue, *, strict: bool
) -> Judgement:
    chosen = {one.checker.name: one.broken[:SHOWN] for one in findings}
    wanted = {index for some in chosen.values() for one in some for index in one.operations}
    lines = {line["index"]: line for line in lines_of(place, wanted)} if wanted else {}
    return Judgement(
        name=view.recorded.name,
        profile=view.rules.profile,
        size=view.recorded.size,
        cut=view.recorded.cut,
        findings=tuple((one, _weighed(one, catalogue, strict=strict)) for one in findings),
        shown={
            name: [Shown(one, [lines[index] for index in one.operations]) for one in some]
            for name, some in chosen.items()
        },
    )


def _weighed(finding: Finding, catalogue: Catalogue, *, strict: bool) -> Verdict:
    """Return a checker's verdict, with a SHOULD that does not hold as a warning."""
    levels = {"MUST", "SHOULD"} if strict else {"MUST"}
    if finding.broken and not any(catalogue[one.clause].level in levels for one in finding.broken):
        return Verdict.WARN
    return finding.verdict


def _write(path: Path, value: dict[str, Any]) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    try:
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None
