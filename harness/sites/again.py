"""Whether a play of a scenario is the last word, or it is to be played again."""

from collections.abc import Sequence
from dataclasses import replace

from harness.hiccups import PLAYS_MAX
from harness.verdict import Outcome, Verdict


def settled(plays: Sequence[Outcome]) -> Outcome | None:
    """Return what came of a scenario, `None` when it is to be played again.

    What failed while things were late is played once more; what failed after hiccups, up to
    `PLAYS_MAX` times in all, until a play without one decides (`harness.hiccups`).

    Args:
        plays: what came of each play so far, in order; at least one.

    """
    last = plays[-1]
    hiccups = sum(one.hiccups for one in plays)
    if last.verdict not in {Verdict.FAIL, Verdict.UNKNOWN} or last.fault:
        return replace(last, hiccups=hiccups)
    if last.dragged:
        late = sum(one.dragged for one in plays)
        return None if late == 1 else replace(last, hiccups=hiccups)
    if not last.hiccups:
        return replace(last, hiccups=hiccups)
    if len(plays) < PLAYS_MAX:
        return None
    if _always_the_same(plays):
        return replace(last, hiccups=hiccups)
    return replace(
        last,
        hiccups=hiccups,
        verdict=Verdict.UNKNOWN,
        broken=(),
        reason=f"it failed in each of {len(plays)} plays, and in each the master answered calls with"
        f" 500 ({hiccups} in all), so that nobody can tell why",
    )


def _always_the_same(plays: Sequence[Outcome]) -> bool:
    """Return whether the same call got no other answer in every play, and stopped each."""
    places = {None if one.failure is None else one.failure.place for one in plays}
    stumbled = set.intersection(*(set(one.stumbled) for one in plays))
    return len(places) == 1 and None not in places and bool(stumbled)
