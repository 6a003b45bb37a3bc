"""What a look at a target found, in lines for a person."""

from collections.abc import Iterable, Iterator
from typing import Final

from harness.scenario.catalogue import Clause
from harness.sites.database import Key, State
from harness.sites.file import TargetFile
from harness.sites.found import Ahead, Found
from harness.sites.judgeable import Judgeable

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
        kept = (counted(n, kind.removesuffix("s")).strip() for kind, n in found.kept.items())
        yield _row("there", ", ".join(kept))
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
    for reason, clauses in sorted(one.beyond.items(), key=lambda item: -len(item[1])):
        yield f"  {counted(len(clauses), 'clause')} not: {reason}"
        if everything:
            yield from _named("", clauses)
    if everything:
        for reason, scenarios in sorted(one.skipped.items(), key=lambda item: -len(item[1])):
            yield f"  {counted(len(scenarios), 'scenario')} not: {reason}"
            yield from (f"       {scenario.id}" for scenario in scenarios)


def counted(count: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{count:>4} {noun}{'' if count == 1 else 's'}"


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
            return "opens what is stored"
        case Key.WRONG:
            return "wrong: it does not open what is stored"
        case Key.UNTOLD:
            return "nothing is stored yet that could tell it from another"


def _process(target: TargetFile) -> str:
    if target.command is None:
        return "not ours: it is neither killed nor started again"
    return f"started, killed and stopped by muster: {target.command.argv[0]}"
