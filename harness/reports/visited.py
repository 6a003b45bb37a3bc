"""What every report says of the server that was played on, in lines and as a JSON object."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.sites.notes import Notes, Tally
from harness.verdict import Report


def site_lines(report: Report) -> list[str]:
    """Return what is worth saying of the server; nothing where muster made it itself."""
    return [] if report.site is None else list(_lines(report, report.site))


def _lines(report: Report, site: Notes) -> Iterator[str]:
    version = f" ({site.version})" if site.version else ""
    yield f"target {site.url}{version}, of {site.file}"
    yield from site.remarks
    if report.hiccups:
        yield (
            f"{_counted('answer', report.hiccups)} said 500 where that was not"
            " expected; what was safe to ask was asked again, what failed so was played again"
        )
    for reason in site.deaths[: -1 if site.gone is not None else None]:
        yield f"the server ended by itself and was started again: {reason}"
    if site.gone is not None:
        yield f"the run ended with the server: {site.gone}"
    if site.log is not None:
        yield f"the server's log is {site.log}"
    yield from _left(site)


def _left(site: Notes) -> Iterator[str]:
    tally = site.tally
    if site.kept:
        yield "everything that was made there is kept, as asked for"
    yield from left_lines(tally)
    for prefix, reason in tally.missed.items():
        if any(other != prefix and prefix.startswith(other) for other in tally.missed):
            continue  # the run's own prefix says it for all of its scenarios
        yield f"left behind, maybe: what begins with {prefix} ({reason}); muster target clean"


def left_lines(tally: Tally) -> Iterator[str]:
    """Yield what could not be removed, and why, if there is anything."""
    if tally.left:
        why = f" ({'; '.join(tally.reasons)})" if tally.reasons else ""
        yield f"left behind, for there is no call that removes them: {_list(tally.left_counts)}{why}"


def removed_line(tally: Tally) -> str:
    """Return what was removed, in a line."""
    return f"removed {_list(tally.removed)}" if tally.removed else "nothing to remove"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _counted(noun: str, count: int) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def site_document(report: Report) -> dict[str, Any] | None:
    """Return the same as a JSON object; `None` where muster made the server itself."""
    site = report.site
    if site is None:
        return None
    return {
        "file": str(site.file),
        "url": site.url,
        "version": site.version,
        "remarks": list(site.remarks),
        "hiccups": report.hiccups,
        "deaths": list(site.deaths),
        "gone": site.gone,
        "log": None if site.log is None else str(site.log),
        "kept": site.kept,
        "removed": dict(site.tally.removed),
        "left": site.tally.left_counts,
        "left_because": list(site.tally.reasons),
        "missed": dict(site.tally.missed),
    }
