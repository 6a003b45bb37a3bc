"""Mutants of ADM: the stream of events."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "stream-does-not-greet",
        "ADM-60",
        "Nothing is sent before the first event.",
        ("        if not self._greeted:\n", "        if self._greeted:\n"),
    ),
    mutant(
        "stream-without-signs-of-life",
        "ADM-60",
        "A quiet stream is silent.",
        ('                return self._comment("heartbeat")\n', "                continue\n"),
    ),
    mutant(
        "signs-of-life-half-as-often",
        "ADM-60",
        "A sign of life comes half as often.",
        (
            "    heartbeat_s = state.config.timings.event_heartbeat_s\n",
            "    heartbeat_s = state.config.timings.event_heartbeat_s * 2\n",
        ),
    ),
    mutant(
        "every-scan-tells-again",
        "ADM-61",
        "Every scan tells of an old agent again.",
        (
            "            elif now.ns - told_ns.get(node.id, -again_ns) >= again_ns:\n",
            "            elif now.ns:\n",
        ),
    ),
    mutant(
        "told-once-for-ever",
        "ADM-61",
        "An old agent is told of once.",
        (
            "            elif now.ns - told_ns.get(node.id, -again_ns) >= again_ns:\n",
            "            elif node.id not in told_ns:\n",
        ),
    ),
    mutant(
        "newer-is-older",
        "ADM-61",
        "An agent of another version than the master's is told of.",
        (
            "agent is not None and master is not None and agent < master",
            "agent is not None and master is not None and agent != master",
        ),
    ),
    mutant(
        "versions-as-text",
        "ADM-61",
        "Versions are compared as text.",
        (
            "    agent, master = _version(node.agent_version), _version(release)\n",
            "    agent, master = node.agent_version[::-1], release[::-1]\n",
        ),
    ),
    mutant(
        "stream-for-everybody",
        "ADM-34",
        "The event stream is for whoever asks.",
        (
            '("GET", "/api/events/stream"): signed_in(stream)}',
            '("GET", "/api/events/stream"): lambda state, call: stream(state, call, None)}',
        ),
    ),
    mutant(
        "stream-for-operators",
        "ADM-34",
        "A viewer may not read the event stream.",
        (
            "from master.admin.access import Caller, signed_in\nfrom master.call import Call\nfrom master.events import",
            "from master.admin.access import Caller, not_viewer\nfrom master.call import Call\nfrom master.events import",
        ),
        (
            '("GET", "/api/events/stream"): signed_in(stream)}',
            '("GET", "/api/events/stream"): not_viewer(stream)}',
        ),
    ),
    mutant(
        "brought-up-to-date-in-vain",
        "ADM-62",
        "An agent that was told of is news again a day later, whatever it did.",
        ("                told_ns.pop(node.id, None)\n", "                continue\n"),
    ),
    mutant(
        "told-without-the-node",
        "ADM-61",
        "Word of an old agent names its host for its node.",
        (
            '            "nodeName": node.name,\n            "agentVersion"',
            '            "nodeName": node.hostname + "?",\n            "agentVersion"',
        ),
    ),
)
