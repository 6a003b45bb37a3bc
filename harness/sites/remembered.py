"""Times that a scenario knows from answers, moved along with those that the master stores."""

import re
from collections.abc import Iterable
from typing import Any, Final

from harness.sites.rows import earlier
from master.protocol.times import wire_text

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def move_times(values: Iterable[Any], by_ns: int) -> None:
    """Move all times in lists and mappings back, in place; each of them once.

    Args:
        values: lists and mappings, which may share parts.
        by_ns: by how much, in nanoseconds.

    """
    seen: set[int] = set()
    left = list(values)
    while left:
        value = left.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            if isinstance(item, str) and _TIME.fullmatch(item):
                value[key] = wire_text(str(earlier(item, by_ns)))
            else:
                left.append(item)
