"""The report for reading: one HTML file that needs no network, no server and no other file.

Verdict, failures and the table of clauses are plain markup, so that they can be read without
JavaScript. The histories stand below as packed chunks, which the page's scripts unpack one by one
when a scenario is opened. Styles and scripts are files in `page/`, put in as they are; the page's
content security policy names their hashes, so that nothing else can run, load or be sent anywhere,
whatever a master under test has answered.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.history import History
from harness.plan import Listener, Plan
from harness.reports.explained import brief, meaning, stale_lines, warp_text
from harness.reports.packing import pack
from harness.reports.timeline import Row, Timeline
from harness.reports.visited import site_lines
from harness.scenario.catalogue import AREAS
from harness.verdict import Outcome, Report, Verdict

PAGE: Final = Path(__file__).resolve().parent / "page"

SCRIPTS: Final = (
    "base.js",
    "store.js",
    "overview.js",
    "map.js",
    "lanes.js",
    "exchange.js",
    "scenario.js",
    "main.js",
)
"""In the order in which they are run."""

IDLE_S: Final = 20.0
"""From how many written seconds without anything on, the lanes show a break; a heartbeat takes 15."""

SIGNS: Final = {
    "PASS": "✓",
    "FAIL": "✕",
    "WARN": "!",
    "VACUOUS": "∅",
    "UNKNOWN": "?",
    "SKIP": "–",
    "KNOWN": "≈",
}
"""What stands beside a verdict's colour, for those who do not see it."""

_WRONG: Final = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.VACUOUS)
"""What a reader is to look at, the worst first."""

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that show nothing, or change how others are shown: controls, and turns of direction."""


class Packed(msgspec.Struct, frozen=True):
    """A played scenario's history, ready to be written.

    Attributes:
        rows: how many the lanes have.
        exchanges: how many requests were made.
        timeline: the rows and spans, packed.
        texts: chunks of requests and bodies, packed.

    """

    rows: int
    exchanges: int
    timeline: str
    texts: list[str]


class HtmlFile(Listener):
    """Writes the page when the run is over; until then it keeps the histories, packed.

    Args:
        path: the file.
        replay: the command that plays the run again.
        all_profiles: there are several runs, one a profile, each with a page of its own.

    Attributes:
        written: the pages so far.

    """

    def __init__(self, path: Path, replay: str, *, all_profiles: bool = False) -> None:
        self.written: list[Path] = []
        self._path = path
        self._replay = replay
        self._all_profiles = all_profiles
        self._packed: dict[str, Packed] = {}
        self._plan: Plan | None = None

    def path(self, profile: str) -> Path:
        """Return the file of a profile: `report.html`, or `report-2.0.html` where there are several."""
        if not self._all_profiles:
            return self._path
        return self._path.with_name(f"{self._path.stem}-{profile}{self._path.suffix}")

    def started(self, plan: Plan) -> None:
        """Remember what is run."""
        self._plan = plan
        self._packed = {}

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Pack the history of a scenario."""
        assert self._plan is not None
        if history is not None:
            factor = 1.0 if self._plan.clock == "virtual" else self._plan.speed
            self._packed[outcome.scenario.id] = pack_history(history, outcome, IDLE_S / factor)

    def finished(self, report: Report) -> None:
        """Write the file."""
        assert self._plan is not None
        page = render(report, self._plan, self._packed, self._replay)
        path = self.path(report.profile)
        path.write_bytes(page.encode("utf-8"))  # the policy hashes these very bytes
        self.written.append(path)


def pack_history(history: History, outcome: Outcome, idle_s: float) -> Packed:
    """Return a history as the page holds it.

    Args:
        history: what happened.
        outcome: what came of it.
        idle_s: from how many seconds without anything on, the lanes show a break.

    """
    timeline = Timeline(history, idle_s, outcome.failure)
    starts, texts = timeline.texts.chunks()
    lanes = timeline.lanes
    number = {name: place for place, name in enumerate(lanes)}
    words: dict[str, int] = {}
    columns = {
        name: [getattr(row, name) for row in timeline.rows] for name in Row.__struct_fields__
    }
    columns["lane"] = [number.get(name, -1) for name in columns["lane"]]
    for name in ("kind", "type", "tag", "label"):
        columns[name] = [words.setdefault(word, len(words)) for word in columns[name]]
    columns["time_s"] = [round(time_s, 6) for time_s in columns["time_s"]]
    table = {
        "lanes": lanes,
        "words": [_speakable(word) for word in words],
        "columns": columns,
        "spans": [
            [number[span.lane], span.first, span.last, span.what, _speakable(span.text)]
            for span in timeline.spans
        ],
        "starts": starts,
    }
    return Packed(len(timeline.rows), timeline.exchanges, pack(table), texts)


def render(report: Report, plan: Plan, packed: dict[str, Packed], replay: str) -> str:
    """Return the page.

    Args:
        report: what came of the run.
        plan: what was to be run.
        packed: the histories, by the id of their scenario.
        replay: the command that plays the run again.

    """
    style = _asset("style.css")
    scripts = [_asset(name) for name in SCRIPTS]
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["brief"] = brief
    return environment.get_template("report.html").render(
        policy=_policy(style, scripts),
        warped=warp_text(report.warped),
        style=Markup(style),  # noqa: S704 - files of ours; everything else is escaped
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - as above
        report=report,
        meaning=meaning(report),
        stale=stale_lines(report),
        site_lines=site_lines(report),
        replay=replay,
        areas=_areas(report, plan),
        catalogue={clause.id: clause for clause in plan.catalogue},
        numbers={one.scenario.id: place for place, one in enumerate(report.outcomes)},
        counts=_counts(report),
        failures=_with(report, packed, *_WRONG),
        known=_with(report, packed, Verdict.KNOWN),
        packed=packed,
        signs=SIGNS,
        verdicts=[verdict.value for verdict in Verdict],
    )


def _asset(name: str) -> str:
    text = (PAGE / name).read_text("utf-8")
    assert "</s" not in text.lower(), f"{name} would end the element that it stands in"
    return f"\n{text}"


def _policy(style: str, scripts: list[str]) -> str:
    """Return the content security policy: these styles and scripts, and nothing else."""
    styles = _hash(style)
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; style-src {styles}; script-src {allowed}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _areas(report: Report, plan: Plan) -> list[tuple[str, str, list[Any]]]:
    """Return the clauses of each area: its name, what it is about, and what came of them."""
    area = {clause.id: clause.area for clause in plan.catalogue}
    return [
        (name, about, found)
        for name, about in AREAS.items()
        if (found := [clause for clause in report.clauses if area[clause.id] == name])
    ]


def _with(report: Report, packed: dict[str, Packed], *verdicts: Verdict) -> list[Outcome]:
    """Return the scenarios with some verdicts, the first one's first, then by length.

    The shortest history that shows a failure says most about it.
    """

    def rows(outcome: Outcome) -> int:
        return packed[outcome.scenario.id].rows if outcome.scenario.id in packed else 0

    found = (one for one in report.outcomes if one.verdict in verdicts)
    return sorted(found, key=lambda one: (verdicts.index(one.verdict), rows(one)))


def _counts(report: Report) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return how many scenarios and clauses have which verdict."""
    counted = []
    for what, verdicts in (
        ("scenarios", [outcome.verdict for outcome in report.outcomes]),
        ("clauses", [clause.verdict for clause in report.clauses]),
    ):
        shown = [(one.value, verdicts.count(one)) for one in Verdict if one in verdicts]
        counted.append((what, shown))
    return counted


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else _speakable(value)


def _speakable(text: str) -> str:
    """Return a text with every character written out that cannot be seen: a code instead."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
