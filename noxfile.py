"""Sessions for developers and CI; `nox` with no arguments is the gate a change must pass."""

import shutil

import nox

nox.options.sessions = ["lint", "types", "tests", "conformance"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """Install muster as a developer has it, with the dependencies of some groups."""
    wanted = [one for group in groups for one in nox.project.dependency_groups(PROJECT, group)]
    session.install("--quiet", "--disable-pip-version-check", "-e", ".", *wanted)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    install(session, "types")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, on as many processors as there are."""
    install(session, "test")
    session.run("pytest", *(session.posargs or ["-n", "auto"]))


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests in one process, and say which branches they never took."""
    install(session, "test")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report")


@nox.session
def browser(session: nox.Session) -> None:
    """Read the HTML report in a real Chromium, which has to be there; `tests` skips these without."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        session.error("no chromium on the path (Debian: apt-get install chromium)")
    if not shutil.which("chromedriver"):
        session.error("no chromedriver on the path (Debian: apt-get install chromium-driver)")
    install(session, "browser")
    session.run("pytest", "tests/test_html_browser.py", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Run the conformance suite on the embedded reference master, as every profile."""
    install(session)
    session.run("muster", "run", *(session.posargs or ["--profile", "all"]))


@nox.session
def selfcheck(session: nox.Session) -> None:
    """Try the conformance suite on mutants of the reference master."""
    install(session)
    session.run("muster", "selfcheck", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, each figure beside its yardstick."""
    install(session, "test")
    session.run("python", "benchmarks/bench.py", *session.posargs)
