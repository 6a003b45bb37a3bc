"""Mutants of OFF that concern the time between a node's last moment and the scan that notices."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "shown-offline-before-the-scan",
        "OFF-7",
        "A node's pages look at its last heartbeat before the release that does.",
        ("looks = state.config.profile.effective_status", "looks = True"),
    ),
    mutant(
        "shown-online-until-the-scan",
        "OFF-8",
        "A node's pages show the stored status.",
        ("looks = state.config.profile.effective_status", "looks = False"),
    ),
    mutant(
        "offline-at-forty-five-seconds",
        "OFF-8",
        "A node is shown offline when exactly 45 s have passed.",
        ("return now.ns - last_seen_ns > round(", "return now.ns - last_seen_ns >= round("),
    ),
    mutant(
        "no-work-before-the-scan",
        "OFF-9",
        "A silent node is refused work before a scan has noticed.",
        ("looks = state.config.profile.presence_everywhere", "looks = True"),
    ),
    mutant(
        "work-until-the-scan",
        "OFF-10",
        "A silent node is given work until a scan notices.",
        ("looks = state.config.profile.presence_everywhere", "looks = False"),
    ),
    mutant(
        "offline-forgets-the-host",
        "OFF-70",
        "The monitor forgets the host name of a node that it marks offline.",
        (
            '"UPDATE nodes SET status = ?, updated_at = ? WHERE is_local = 0',
            "\"UPDATE nodes SET status = ?, updated_at = ?, hostname = '' WHERE is_local = 0",
        ),
    ),
    mutant(
        "host-names-are-trimmed",
        "NODE-3",
        "A host name loses the space around it.",
        ("hostname=report.hostname,", "hostname=report.hostname.strip(),"),
    ),
    mutant(
        "update-is-a-sign-of-life",
        "NODE-5",
        "A change of its limits counts as a node's sign of life.",
        (
            '"bandwidth_limit": wanted.bandwidthLimit.strip(),',
            '"bandwidth_limit": wanted.bandwidthLimit.strip(), "last_seen": call.now.utc,',
        ),
    ),
    mutant(
        "limits-before-the-node",
        "NODE-11",
        "An update of a node that is not there is refused for its limits first.",
        (
            '    find(state, node_id)\n    if wanted.maxConcurrent < 0:\n        raise ApiError("NODE_INVALID")\n',
            '    if wanted.maxConcurrent < 0:\n        raise ApiError("NODE_INVALID")\n    find(state, node_id)\n',
        ),
    ),
)
