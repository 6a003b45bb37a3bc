"""The one place that touches trio's private names, so that a seed decides everything.

trio shuffles the tasks that are ready at the same moment, with a generator of its own.
Seeding that generator, and asking for the batch in a fixed order first, makes a run a function of
its seed: the same in every process, under every hash seed.
A test runs one seed in several processes and compares the histories byte for byte.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import trio
import trio._core._run as _trio_run  # the names below have no public form

KNOWN_TRIO = ("0.30", "0.31", "0.32", "0.33", "0.34", "0.35")
"""Releases whose scheduler was read: these names, used in this way."""


@contextmanager
def seeded_scheduler(seed: int) -> Iterator[None]:
    """Let a seed decide the order of ready tasks, for a run of trio inside the block.

    Raises:
        RuntimeError: this release of trio has no such names; nothing was changed.

    """
    if not hasattr(_trio_run, "_ALLOW_DETERMINISTIC_SCHEDULING") or not hasattr(_trio_run, "_r"):
        raise RuntimeError(
            f"trio {trio.__version__} keeps its scheduler's randomness elsewhere than"
            f" {KNOWN_TRIO[0]} to {KNOWN_TRIO[-1]} do: install one of those"
        )
    generator, allowed = _trio_run._r, _trio_run._ALLOW_DETERMINISTIC_SCHEDULING  # noqa: SLF001
    _trio_run._r = random.Random(seed)  # noqa: SLF001
    _trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # noqa: SLF001
    try:
        yield
    finally:
        _trio_run._r = generator  # noqa: SLF001
        _trio_run._ALLOW_DETERMINISTIC_SCHEDULING = allowed  # type: ignore[misc]  # noqa: SLF001
