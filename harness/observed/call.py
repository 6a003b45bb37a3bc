"""One exchange of a history, with both its ends, and notes of what was no exchange."""

from typing import Any, Final

from msgspec import Struct

from harness.history import OpType

NEVER: Final = float("inf")
"""When something ended of which nobody knows that it has."""


class Route(Struct, frozen=True):
    """What a request asks for.

    Attributes:
        kind: the name of the operation.
        id: of the node, task, record, command or restore in its path; -1 where there is none, or
            none that is a number.
        query: behind the question mark.

    """

    kind: str
    id: int = -1
    query: str = ""


class Call(Struct):
    """A request and what came of it.

    Attributes:
        index: of the operation that began it.
        end: of the operation that ended it; -1 when none did.
        began_s: when it began, in seconds of the history.
        ended_s: when it was answered; `NEVER` when nobody knows whether it ever took effect.
        outcome: `ok` happened, `fail` did not, `info` may have, or may yet.
        process: who sent it.
        route: what it asks for.
        body: its body as a JSON value, or a text where it is none.
        status: of the answer, or `None`.
        answer: the answer's body.
        keys: the names of the credentials it shows, by where they stand.
        gave: the names of the credentials that the answer gives, by the keys of its data.
        received: its sender saw the answer; where a fault lost it, the history has it all the same.
        veiled: a secret was taken out of its answer when that was written down.
        node: the node that it is from, as far as that is known.

    """

    index: int
    began_s: float
    process: str
    route: Route
    body: Any
    keys: dict[str, str]
    end: int = -1
    ended_s: float = NEVER
    outcome: OpType = OpType.INFO
    status: int | None = None
    answer: Any = None
    gave: dict[str, str] = {}
    received: bool = True
    veiled: bool = False
    node: int | None = None

    @property
    def ok(self) -> bool:
        """Return whether it happened, and was answered as a success."""
        return self.status == 200 and self.outcome is OpType.OK

    @property
    def possible(self) -> bool:
        """Return whether it happened, or may have."""
        return self.outcome is not OpType.FAIL

    @property
    def code(self) -> str:
        """Return the code of its answer, or nothing."""
        code = self.answer.get("code") if isinstance(self.answer, dict) else None
        return code if isinstance(code, str) else ""

    @property
    def data(self) -> Any:
        """Return the data of its answer, or `None`."""
        return self.answer.get("data") if isinstance(self.answer, dict) else None

    @property
    def fields(self) -> dict[str, Any]:
        """Return the data of its answer where they are an object, else nothing."""
        data = self.data
        return data if isinstance(data, dict) else {}

    def operations(self) -> tuple[int, ...]:
        """Return the indexes of its operations."""
        return (self.index,) if self.end < 0 else (self.index, self.end)

    def before(self, other: "Call") -> bool:
        """Return whether it was over before another one began."""
        return self.ended_s <= other.began_s and self.end < other.index

    def said(self, name: str) -> Any:
        """Return a member of its body as a master reads it: the case of keys does not matter."""
        if not isinstance(self.body, dict):
            return None
        if name in self.body and len(self.body) == len({key.lower() for key in self.body}):
            return self.body[name]
        folded = {key.lower(): value for key, value in self.body.items() if value is not None}
        return folded.get(name.lower())


class Note(Struct, frozen=True):
    """Something that is no exchange: a crash, a phase, time that passed."""

    index: int
    time_s: float
    process: str
    text: str
