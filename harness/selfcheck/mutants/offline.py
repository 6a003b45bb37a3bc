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
)
