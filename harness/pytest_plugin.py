"""Scenario files as tests of pytest: the options, and nothing else until one of them is used.

pytest imports this module at every start, in every project where muster is installed; so it imports
nothing of muster itself. What collects and plays is `harness.pytest_files`.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each has a setting of the same name, which it overrides."""
    group = parser.getgroup("muster", "muster: conformance scenarios")
    for name, metavar, text in (
        (
            "target",
            "TARGET",
            "collect scenario files and play them against this: embedded, real or a target file",
        ),
        ("profile", "PROFILE", "the release to be judged as; 2.0 when left out"),
        ("seed", "N", "decides all that is random; 0 when left out"),
        ("speed", "FACTOR", "real target: how much shorter timers and waits are; 20 when left out"),
        ("known-failures", "FILE", "what is known to fail; the nearest known-failures.toml else"),
    ):
        group.addoption(f"--muster-{name}", metavar=metavar, help=text)
        parser.addini(f"muster_{name.replace('-', '_')}", text)
    group.addoption("--muster-strict", action="store_true", help="a SHOULD counts as a MUST")
    parser.addini("muster_strict", "a SHOULD counts as a MUST", type="bool", default=False)
    parser.addini(
        "muster_scenarios",
        "folders with scenario files, beside those with a clauses.toml in or above them",
        type="paths",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect scenario files, if there is a target to play them against."""
    if config.getoption("--muster-target") or config.getini("muster_target"):
        from harness.pytest_files import ScenarioFiles  # noqa: PLC0415 - heavy, and rarely wanted

        config.pluginmanager.register(ScenarioFiles(config), "muster-files")
