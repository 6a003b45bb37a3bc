"""The report for CI servers: JUnit XML, a suite a run and a test case a scenario.

CI servers know failures, errors and skips. A known failure is a skip that says so; a broken SHOULD
is a passed case with the explanation in `system-out`; a known failure that passes is a failed case
of its own, because no scenario failed.
"""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from harness.plan import Listener
from harness.reports.explained import explain, stale_lines, warp_text
from harness.reports.visited import site_lines
from harness.verdict import Outcome, Report, Verdict

_NOT_XML: Final = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 65534, 65535), "�"
)

_SKIPPED: Final = {Verdict.SKIP, Verdict.VACUOUS, Verdict.KNOWN}


class JunitFile(Listener):
    """Writes the report to a file when the run is over.

    Args:
        path: the file.
        all_profiles: there are several runs, one a profile; the file then holds all so far, and
            the names of classes begin with the profile.

    """

    def __init__(self, path: Path, *, all_profiles: bool = False) -> None:
        self._path = path
        self._all_profiles = all_profiles
        self._reports: list[Report] = []

    def finished(self, report: Report) -> None:
        """Write the file."""
        self._reports.append(report)
        suites = Xml.Element("testsuites")
        for one in self._reports if self._all_profiles else [report]:
            suites.append(_suite(one, f"{one.profile}/" if self._all_profiles else ""))
        for total in ("tests", "failures", "errors", "skipped"):
            suites.set(total, str(sum(int(suite.get(total, "0")) for suite in suites)))
        Xml.indent(suites)
        Xml.ElementTree(suites).write(self._path, encoding="utf-8", xml_declaration=True)


def _suite(report: Report, prefix: str) -> Xml.Element:
    verdicts = [outcome.verdict for outcome in report.outcomes]
    stale = stale_lines(report)
    suite = Xml.Element(
        "testsuite",
        name=f"muster {report.profile}",
        tests=str(len(verdicts) + len(stale)),
        failures=str(verdicts.count(Verdict.FAIL) + len(stale)),
        errors=str(verdicts.count(Verdict.UNKNOWN)),
        skipped=str(sum(verdict in _SKIPPED for verdict in verdicts)),
        time=f"{report.duration_s:.3f}",
    )
    properties = Xml.SubElement(suite, "properties")
    for name in ("profile", "clock", "seed"):
        _property(properties, name, str(getattr(report, name)))
    _property(properties, "exit_code", str(report.exit_code.value))
    for number, line in enumerate(site_lines(report)):
        _property(properties, f"target.{number}" if number else "target", _text(line))
    if (warped := warp_text(report.warped)) is not None:
        _property(properties, "warped", warped)
    for clause in report.clauses:
        _property(properties, clause.id, clause.verdict.value)
    for outcome in report.outcomes:
        _case(suite, outcome, report, prefix)
    for line in stale:
        name = line.partition(": ")[0]
        case = Xml.SubElement(
            suite, "testcase", classname=f"{prefix}known-failures", name=name, time="0.000"
        )
        Xml.SubElement(case, "failure", type="KNOWN", message=_text(line))
    return suite


def _property(parent: Xml.Element, name: str, value: str) -> None:
    Xml.SubElement(parent, "property", name=name, value=value)


def _case(suite: Xml.Element, outcome: Outcome, report: Report, prefix: str) -> None:
    area, _, name = outcome.scenario.id.rpartition("/")
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=prefix + (area.replace("/", ".") or "scenarios"),
        name=name,
        file=str(outcome.scenario.path),
        time=f"{outcome.duration_s:.3f}",
    )
    verdict, reason = outcome.verdict, f"{outcome.verdict}: {outcome.reason}"
    text = _text(explain(outcome, report).text()) if outcome.failure is not None else ""
    if verdict in _SKIPPED:
        Xml.SubElement(case, "skipped", message=_text(reason))
    elif verdict is Verdict.UNKNOWN:
        Xml.SubElement(case, "error", type="UNKNOWN", message=_text(reason)).text = text
    elif verdict is Verdict.WARN:
        Xml.SubElement(case, "system-out").text = f"WARN\n{text}"
    elif outcome.failure is not None:
        clauses = ", ".join(outcome.broken)
        message = _text(f"{clauses}: expected {outcome.failure.expected}")
        Xml.SubElement(case, "failure", type=clauses, message=message).text = text


def _text(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return text.translate(_NOT_XML)
