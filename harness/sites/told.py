"""What a look at a target found, in lines for a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from harness.scenario.catalogue import Clause
from harness.sites.database import Key, State
from harness.sites.file import TargetFile
from harness.sites.found import Ahead, Found, several
from harness.sites.judgeable import Judgeable

T = TypeVar("T")

_LEFT_SHOWN: Final = 5
"""How many names of an earlier run's things are shown."""

_STEPS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def tell(target: TargetFile, found: Found, notes: Iterable[str]) -> Iterator[str]:
    """Yield what was found, a line each.

    Args:
        target: the server.
        found: what a look at it found.
        notes: what is worth saying, though it is no reason to stop.

    """
    health, latency = found.health, found.latency
    profile = f"profile {found.profile}" if found.profile else "of no profile"
    yield f"{target.url}, as {target.path} says"
    yield _row("version", f"{health.version}, {profile}, judged as {target.profile}")
    yield _row("up", f"for {span(health.uptime_s)}, {found.ready}")
    yield _row(
        "latency",
        f"{_ms(latency.median_s)}, at worst {_ms(latency.worst_s)}, of {latency.calls} calls",
    )
    yield _row("clock", _clock(found.ahead))
    yield _row("timers", _timers(target))
    yield _row("we are", found.who)
    if found.kept:
        yield _row("there", ", ".join(several(n, kind) for kind, n in found.kept.items()))
        yield _row("left", _left(found.left))
    yield _row("database", _database(target, found))
    if found.database is not None and found.database.readable:
        yield _row("key", _key(found.database.key))
    yield _row("process", _process(target))
    if latency.worst_s > target.slack_s:
        yield _row("note", f"calls take longer than the slack of {target.slack_s:g} s: raise it")
    for note in (*notes, *target.warnings):
        yield _row("note", note)


def tell_judgeable(one: Judgeable, *, everything: bool) -> Iterator[str]:
    """Yield what can be judged on a clock, the counts first.

    Args:
        one: what can be judged.
        everything: name the clauses, too.

    """
    skipped = sum(map(len, one.skipped.values()))
    yield ""
    waits = f"; the longest of them waits {span(one.longest_s)}" if one.played else ""
    if one.clock == "warp" and one.played:
        waits = "; long waits move the times in its database instead"
    yield (
        f"{one.clock} clock: {len(one.clauses)} of {one.total} clauses can be judged, by"
        f" {len(one.played)} of {len(one.played) + skipped} scenarios{waits}"
    )
    if everything:
        yield from _named("judged", one.clauses)
    if not everything:
        for reason, count in _in_short(one.beyond):
            yield f"  {several(count, 'clauses'):>11} not: {reason}"
        return
    for reason, clauses in _most_first(one.beyond):
        yield f"  {several(len(clauses), 'clauses'):>11} not: {reason}"
        yield from _named("", clauses)
    for reason, scenarios in _most_first(one.skipped):
        yield f"  {several(len(scenarios), 'scenarios'):>13} not: {reason}"
        yield from (f"       {scenario.id}" for scenario in scenarios)


def _most_first(by_reason: Mapping[str, list[T]]) -> list[tuple[str, list[T]]]:
    return sorted(by_reason.items(), key=lambda item: -len(item[1]))


def _in_short(by_reason: Mapping[str, list[Clause]]) -> list[tuple[str, int]]:
    """Return reasons with their counts, those that begin alike as one.

    What scenarios say themselves of why stands behind a colon; it is shown where there is one reason.
    """
    alike: dict[str, list[str]] = {}
    for reason in by_reason:
        alike.setdefault(reason.partition(":")[0], []).append(reason)
    counts = [
        (
            reasons[0] if len(reasons) == 1 else f"{begin} ({len(reasons)} reasons: --all)",
            sum(len(by_reason[reason]) for reason in reasons),
        )
        for begin, reasons in alike.items()
    ]
    return sorted(counts, key=lambda item: -item[1])


def span(seconds: float) -> str:
    """Return a length of time, with its two largest units: `3 h 5 min`."""
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in _STEPS:
        count, rest = divmod(rest, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count} {unit}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"


def _row(name: str, text: str) -> str:
    return f"  {name:<9} {text}"


def _named(what: str, clauses: Iterable[Clause]) -> Iterator[str]:
    if what:
        yield f"       {what}:"
    yield from (f"       {clause.id:<8} {clause.text}" for clause in clauses)


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def _clock(ahead: Ahead) -> str:
    if ahead.agrees:
        return "agrees with this machine's, as far as whole seconds tell"
    side = "ahead of" if ahead.low_s > 0 else "behind"
    low, high = sorted((abs(ahead.low_s), abs(ahead.high_s)))
    return f"{low:.1f} to {high:.1f} s {side} this machine's"


def _timers(target: TargetFile) -> str:
    said = "the release's" if target.speed == 1 else f"{target.speed:g} × as fast as the release's"
    return f"taken to be {said}, but for [timings]: no answer shows them"


def _left(left: tuple[str, ...]) -> str:
    if not left:
        return "nothing of an earlier run"
    more = f" and {len(left) - _LEFT_SHOWN} more" if len(left) > _LEFT_SHOWN else ""
    return f"by an earlier run: {', '.join(left[:_LEFT_SHOWN])}{more}"


def _database(target: TargetFile, found: Found) -> str:
    looked = found.database
    if looked is None:
        return "none is named: what only it shows is skipped, and so is the warp clock"
    if looked.state is State.WRITABLE:
        access = ", and only read" if target.database_access == "read" else ""
        return f"{looked.path}: writable{access}"
    return f"{looked.path}: {looked.state}: {looked.fault}"


def _key(key: Key) -> str:
    match key:
        case Key.RIGHT:
            return "right: it is this server's"
        case Key.WRONG:
            return "wrong: it is not this server's"
        case Key.UNTOLD:
            return "nothing is stored yet that could tell it from another"


def _process(target: TargetFile) -> str:
    if target.command is None:
        return "not ours: it is neither killed nor started again"
    return f"started, killed and stopped by muster: {target.command.argv[0]}"
