"""What comes after each wait of a scenario, and so what must have happened by its end."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness.scenario.model import Place, Step
from harness.sites.spans import Wait

_STRONGEST: Final = (Wait.LOOK, Wait.UNTIL, Wait.ON)
"""A wait that several things may follow serves the first of these."""


def waits(steps: Sequence[Step], after: Iterable[Step] = ()) -> dict[Place, Wait]:
    """Return the kind of each wait, by its place.

    Args:
        steps: the steps of a scenario, or of a part of it.
        after: what may come when they are over.

    """
    found: dict[Place, Wait] = {}
    for number, step in enumerate(steps):
        following = tuple(steps[number + 1 : number + 2]) or tuple(after)
        if step.verb == "wait":
            kinds = {kind for one in following for kind in _kinds(one)}
            found[step.place] = next((kind for kind in _STRONGEST if kind in kinds), Wait.ON)
        inner: tuple[Step, ...] = step.args.get("do", ())
        again = inner[:1] if step.verb == "for_each" else ()
        found |= waits(inner, (*again, *following))
        for one in step.args.get("steps", ()):
            found |= waits((one,), following)
    return found


def _kinds(step: Step) -> Iterator[Wait]:
    """Yield how a step takes what is there when it begins."""
    if step.verb == "until":
        yield Wait.UNTIL
    elif step.verb == "together":
        for one in step.args["steps"]:
            yield from _kinds(one)
    elif step.verb == "for_each":
        yield from _kinds(step.args["do"][0])
    else:
        yield Wait.LOOK if step.expects else Wait.ON
