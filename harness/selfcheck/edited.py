"""Importing muster anew with some of its source changed. For a process of its own: nothing is undone."""

import ast
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

_OWN: Final = frozenset({"harness", "master", "simulated_agents"})


class _EditedLoader(SourceFileLoader):
    """Loads a module from a text in place of its file's; no bytecode is read or written.

    Args:
        name: the module.
        path: its file, for tracebacks.
        text: its source.

    """

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        code: CodeType = compile(self._text, self.get_filename(fullname), "exec")
        return code


class _EditedFinder(MetaPathFinder):
    """Finds the modules whose text was changed.

    Args:
        texts: their source, by the dotted name.

    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a changed module is loaded, and `None` for all others."""
        if fullname not in self._texts:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None, fullname
        assert spec.origin is not None, fullname
        spec.loader = _EditedLoader(fullname, spec.origin, self._texts[fullname])
        return spec


def module_name(path: str) -> str:
    """Return the dotted name of the module at a path: `master.store` of `master/store/__init__.py`."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def import_edited(sources: Mapping[str, str]) -> None:
    """Forget the changed modules and all that import them; they are imported anew when asked for.

    What imports none of the changed modules cannot tell the difference, and stays: most of the time
    a mutant takes is spent on imports.

    Args:
        sources: the text of each changed module, by its path.

    """
    texts = {module_name(path): text for path, text in sources.items()}
    sys.meta_path.insert(0, _EditedFinder(texts))
    forgotten = importers_of(texts)
    for name in forgotten:
        del sys.modules[name]
    for name in forgotten:
        package, _, own = name.rpartition(".")
        if package in sys.modules:  # it would hand out the old module, as one of its names
            vars(sys.modules[package]).pop(own, None)


def importers_of(names: Iterable[str]) -> list[str]:
    """Return those of muster's modules that are one of these, or import one, however indirectly."""
    importers: dict[str, set[str]] = {}
    for importer, imported in imports().items():
        for name in imported:
            importers.setdefault(name, set()).add(importer)
    found: dict[str, None] = {}
    waiting = [name for name in names if name in imports()]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += sorted(importers.get(name, ()))
    return list(found)


@cache
def imports() -> dict[str, set[str]]:
    """Return what each of muster's modules that is here imports of the others, packages included."""
    modules = {
        name: module.__file__
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in _OWN and module.__file__
    }
    return {name: _imports(name, Path(file), modules) for name, file in modules.items()}


def _imports(name: str, file: Path, known: Container[str]) -> set[str]:
    """Return the known modules that a file names in its imports, wherever in it they stand."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{name} imports by dots"  # noqa: PT018
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    for one in list(named):  # importing a module imports the packages that it is in
        parts = one.split(".")
        named |= {".".join(parts[:count]) for count in range(1, len(parts))}
    return {one for one in named if one in known and one != name}
