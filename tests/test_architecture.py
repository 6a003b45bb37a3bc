"""The rooms of the house: who may import whom, who may ask for the time, how big things get."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

from master.protocol.profiles import PROFILES, Profile

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("harness", "master", "simulated_agents")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))

CLOCKS = {"master/serve.py", "simulated_agents/clock.py"}
"""The modules that are clocks."""

STOPWATCHES = {"harness/runner.py", "harness/play.py"}
"""They measure how long this machine takes, for the reader of a report; nothing is decided by it."""

CONSOLES = {"harness/commands/agents.py", "harness/commands/serve.py"}
"""They tell people how long something took, and stamp the lines of a log."""

RANDOM = {"harness/target.py", "harness/determinism.py", "simulated_agents/rng.py"}
"""The modules that make streams of random numbers, or seed the scheduler with one."""

MASTER_MAKERS = {"harness/target.py", "master/serve.py"}
"""Everything else meets a master over a port; `master/serve.py` is that master's own process."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names of all that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_from(room: str) -> list[tuple[str, str]]:
    """Return each import of the modules below a folder, with the module's name."""
    return [
        (name_of(path), imported)
        for path in MODULES
        if name_of(path).startswith(f"{room}/")
        for imported in imports(parse(path))
    ]


def within(imported: str, package: str) -> bool:
    return imported == package or imported.startswith(f"{package}.")


def attributes(tree: ast.AST) -> Iterator[str]:
    """Yield every `name.attribute` that a module mentions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_there_is_something_to_look_at() -> None:
    """The other tests of this file would pass in an empty repository."""
    assert len(MODULES) > 80


def test_the_master_knows_nobody() -> None:
    """The reference imports neither the agents nor the harness."""
    strangers = [
        one
        for one in imported_from("master")
        if within(one[1], "harness") or within(one[1], "simulated_agents")
    ]

    assert not strangers


def test_agents_know_the_protocol_and_no_master() -> None:
    """Of the master, agents import only what is below `master.protocol`; of the harness, nothing."""
    strangers = [
        one
        for one in imported_from("simulated_agents")
        if within(one[1], "harness")
        or (within(one[1], "master") and not within(one[1], "master.protocol"))
    ]

    assert not strangers


def test_the_protocol_stands_alone() -> None:
    """`master.protocol` imports nothing of muster but itself, and no means of input or output."""
    outside = ("harness", "simulated_agents", "sqlite3", "trio", "time", "random", "socket")
    strangers = [
        one
        for one in imported_from("master/protocol")
        if any(within(one[1], package) for package in outside)
        or (within(one[1], "master") and not within(one[1], "master.protocol"))
    ]

    assert not strangers


def test_one_module_of_the_harness_makes_a_master() -> None:
    """Only `harness/target.py` builds a reference master; a server process builds its own."""
    makers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("Master", "core.Master", "master.core.Master", "make_master")
    }

    assert makers == MASTER_MAKERS


def test_only_clocks_read_the_time() -> None:
    """Whoever needs an instant is given it; `time` is for clocks, stopwatches and consoles."""
    allowed = CLOCKS | STOPWATCHES | CONSOLES
    readers = {
        name_of(path)
        for path in MODULES
        if any(within(imported, "time") for imported in imports(parse(path)))
    }

    assert readers <= allowed


def test_no_module_asks_the_calendar_for_today() -> None:
    """`datetime.now` and its kin are in no module at all; `datetime` only turns numbers to text."""
    askers = [
        (name_of(path), mention)
        for path in MODULES
        for mention in attributes(parse(path))
        if mention
        in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.localtime")
        and name_of(path) not in CLOCKS
    ]

    assert not askers


def test_chance_is_drawn_from_a_stream() -> None:
    """Nobody uses the functions of the module `random`, and few modules make a stream."""
    for path in MODULES:
        tree = parse(path)
        used = {mention for mention in attributes(tree) if mention.startswith("random.")}
        sources = {imported for imported in imports(tree) if within(imported, "random")}
        system = [one for one in imports(tree) if one.split(".")[0] in ("secrets", "uuid")]

        assert used <= {"random.Random"}, name_of(path)
        assert sources <= {"random.Random"} or name_of(path) in RANDOM, name_of(path)
        assert not system or name_of(path) == "master/serve.py", name_of(path)


def test_a_file_is_no_longer_than_400_lines() -> None:
    """A longer file wants to be two."""
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}

    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_a_function_fits_on_a_screen() -> None:
    """No function is longer than 70 lines, its docstring included."""
    lengths = {
        f"{name_of(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length > 70} == {}


def undocumented(node: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    """Yield what is public in a module or a class, and says nothing of itself."""
    if not ast.get_docstring(node):
        yield name
    for child in node.body:
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if child.name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, f"{name}.{child.name}")
        elif not ast.get_docstring(child):
            yield f"{name}.{child.name}"


def test_everything_public_says_what_it_is() -> None:
    """Each module, and each public class, function and method in it, has a docstring."""
    silent = [name for path in MODULES for name in undocumented(parse(path), name_of(path))]

    assert not silent


def field_readings() -> dict[str, list[str]]:
    """Return where the modules read each field of a profile, but for what it is called."""
    names = [field.name for field in fields(Profile) if field.name not in ("name", "release")]
    readings: dict[str, list[str]] = {name: [] for name in names}
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and node.attr in readings:
                readings[node.attr].append(f"{name_of(path)}:{node.lineno}")
    return readings


def test_a_difference_between_releases_is_decided_at_one_place() -> None:
    """Each field of a profile is read once, in the master; whoever else cares asks that place."""
    readings = field_readings()

    assert {name: places for name, places in readings.items() if len(places) != 1} == {}
    assert [places for (places,) in readings.values() if not places.startswith("master/")] == []


def test_no_release_is_asked_for_by_its_name() -> None:
    """What a release does follows from its fields: the master compares no profile's name."""
    askers = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        if name_of(path).startswith("master/") and name_of(path) != "master/protocol/profiles.py"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("profile.name")
    ]

    assert askers == []


def test_each_field_of_a_profile_tells_releases_apart() -> None:
    """A field with one value everywhere is no difference."""
    same = [
        field.name
        for field in fields(Profile)
        if len({getattr(profile, field.name) for profile in PROFILES.values()}) == 1
    ]

    assert same == []
