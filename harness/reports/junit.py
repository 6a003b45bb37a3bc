"""The report for CI servers: JUnit XML, a test case a scenario."""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from harness.runner import Listener
from harness.verdict import Outcome, Report, Verdict

_NOT_XML: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


class JunitFile(Listener):
    """Writes the report to a file when the run is over.

    Args:
        path: the file.

    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def finished(self, report: Report) -> None:
        """Write the file."""
        verdicts = [outcome.verdict for outcome in report.outcomes]
        suite = Xml.Element(
            "testsuite",
            name="muster",
            tests=str(len(verdicts)),
            failures=str(verdicts.count(Verdict.FAIL)),
            errors=str(verdicts.count(Verdict.UNKNOWN)),
            skipped=str(verdicts.count(Verdict.SKIP) + verdicts.count(Verdict.VACUOUS)),
            time=f"{report.duration_s:.3f}",
        )
        properties = Xml.SubElement(suite, "properties")
        for name in ("profile", "clock", "seed"):
            Xml.SubElement(properties, "property", name=name, value=str(getattr(report, name)))
        for outcome in report.outcomes:
            _case(suite, outcome)
        suites = Xml.Element("testsuites")
        suites.append(suite)
        Xml.indent(suites)
        Xml.ElementTree(suites).write(self._path, encoding="utf-8", xml_declaration=True)


def _case(suite: Xml.Element, outcome: Outcome) -> None:
    area, _, name = outcome.scenario.id.rpartition("/")
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=area.replace("/", ".") or "scenarios",
        name=name,
        file=str(outcome.scenario.path),
        time=f"{outcome.duration_s:.3f}",
    )
    if outcome.verdict in {Verdict.SKIP, Verdict.VACUOUS}:
        Xml.SubElement(case, "skipped", message=_text(f"{outcome.verdict}: {outcome.reason}"))
    elif outcome.verdict is Verdict.UNKNOWN:
        Xml.SubElement(case, "error", type="UNKNOWN", message=_text(outcome.reason or ""))
    elif outcome.failure is not None:
        failure = outcome.failure
        clauses = ", ".join(outcome.broken)
        element = Xml.SubElement(
            case, "failure", type=clauses, message=_text(f"expected {failure.expected}")
        )
        element.text = _text(
            f"{clauses}: {outcome.scenario.shows}\nat {failure.place}: {failure.step}\n"
            f"expected {failure.expected}\nseen {failure.seen}\nreplay: {outcome.replay}\n"
        )


def _text(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return text.translate(_NOT_XML)
