"""Importing muster anew with some of its source changed. For a process of its own: nothing is undone."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
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
    """Forget all of muster's modules; from now on they are imported with these texts.

    Args:
        sources: the text of each changed module, by its path.

    """
    texts = {module_name(path): text for path, text in sources.items()}
    sys.meta_path.insert(0, _EditedFinder(texts))
    for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
        del sys.modules[name]
