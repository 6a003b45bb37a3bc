"""Who is who: which node a credential belongs to, and what was done to nodes.

A credential is bound to a node by the answer that gave it, or by a heartbeat or `self` that named
the node. A history that does not tell credentials apart says of no call whose it is.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from harness.observed.call import Call


class Given(Struct):
    """A credential that an answer gave for a node.

    Attributes:
        key: its name.
        node: whose it is; `None` until a list shows the id of a node that was made by name.
        call: what gave it.

    """

    key: str
    node: int | None
    call: Call


class Nodes:
    """The nodes of a history.

    Args:
        calls: all of its calls.
        header_first: a heartbeat's token counts from its headers before its body.

    Attributes:
        made: what made each node that was made in this history, by id.
        given: the credentials that were given for nodes, in order.
        gone: what deleted each node, or may have.
        rotated: every call that rotated a node's token, or may have, by id.
        own: the master's own node's id, once a list has shown it.
        zone: what the times of nodes end with: `Z` or a distance from UTC.

    """

    def __init__(self, calls: Iterable[Call], *, header_first: bool) -> None:
        self._header_first = header_first
        self._unseen: dict[str, list[Call]] = {}
        self._of_key: dict[str, int] = {}
        self._given_by: dict[int, Given] = {}
        self.made: dict[int, Call] = {}
        self.given: list[Given] = []
        self.gone: dict[int, Call] = {}
        self.rotated: dict[int, list[Call]] = {}
        self.own: int | None = None
        self.zone = "Z"
        for call in sorted(_telling(calls), key=lambda call: max(call.end, call.index)):
            self._learn(call)

    def _learn(self, call: Call) -> None:
        kind = call.route.kind
        if kind in ("rotate", "delete_node"):
            self._changed(call)
        elif not call.ok:
            return
        elif kind == "make_node":
            self._unseen.setdefault(str(call.said("name")), []).append(call)
            self._give(call, "token", None)
        elif kind in ("heartbeat", "self"):
            key = self.key(call)
            node = call.fields.get("nodeId" if kind == "heartbeat" else "id")
            if key is not None and isinstance(node, int):
                self._of_key.setdefault(key, node)
        else:
            for node in _listed(call.data):
                if kind == "make_nodes":
                    self.made[node["id"]] = call
                else:
                    self._see(node, call)

    def _changed(self, call: Call) -> None:
        """Note a rotation or a deletion, that happened or may have."""
        if not call.possible:
            return
        if call.route.kind == "delete_node":
            self.gone.setdefault(call.route.id, call)
            return
        self.rotated.setdefault(call.route.id, []).append(call)
        if call.ok:
            self._give(call, "newToken", call.route.id)

    def _give(self, call: Call, name: str, node: int | None) -> None:
        key = call.gave.get(name)
        if key is not None:
            given = Given(key, node, call)
            self.given.append(given)
            self._given_by[call.index] = given
            if node is not None:
                self._of_key[key] = node

    def _see(self, node: dict[str, Any], call: Call) -> None:
        """Note the id of a node that was made by name, once that is shown."""
        if node.get("isLocal"):
            self.own = node["id"]
        created = str(node.get("createdAt", ""))
        if len(created) > 6 and created[-6] in "+-":
            self.zone = created[-6:]
        waiting = self._unseen.get(str(node.get("name")))
        if not waiting or node["id"] in self.made or not waiting[0].before(call):
            return
        made = waiting.pop(0)
        self.made[node["id"]] = made
        given = self._given_by.get(made.index)
        if given is not None:
            given.node = node["id"]
            self._of_key[given.key] = node["id"]

    def key(self, call: Call) -> str | None:
        """Return the name of the credential that counts in an agent's call, or `None`."""
        header = call.keys.get("x-agent-token") or call.keys.get("authorization")
        if call.route.kind != "heartbeat":
            return header
        body = call.keys.get("body")
        return (header or body) if self._header_first else (body or header)

    def of_key(self, key: str) -> int | None:
        """Return the node that a credential belongs to, as far as that is known."""
        return self._of_key.get(key)

    def who(self, call: Call) -> int | None:
        """Return the node that an agent's call is from, as far as that is known."""
        key = self.key(call)
        return None if key is None else self._of_key.get(key)


_TELLING = frozenset(
    {
        "make_node",
        "make_nodes",
        "nodes",
        "node",
        "update_node",
        "rotate",
        "delete_node",
        "heartbeat",
        "self",
    }
)


def _telling(calls: Iterable[Call]) -> Iterable[Call]:
    """Yield the calls that say something of nodes; of a key's heartbeats the first is enough."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for call in calls:
        if call.route.kind not in _TELLING:
            continue
        if call.route.kind in ("heartbeat", "self") and call.ok:
            keys = tuple(call.keys.items())
            if keys in seen:
                continue
            seen.add(keys)
        yield call


def _listed(data: Any) -> list[dict[str, Any]]:
    """Return the nodes that an answer shows: those of its list, or its one."""
    among = data if isinstance(data, list) else [data]
    return [one for one in among if isinstance(one, dict) and isinstance(one.get("id"), int)]
