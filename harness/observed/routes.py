"""From the line of a request to what it asks for."""

import re
from functools import lru_cache
from typing import Final

from harness.observed.call import Route

_ROUTES: Final = (
    ("POST", "/api/agent/heartbeat", "heartbeat"),
    ("POST", "/api/agent/commands/poll", "poll"),
    ("POST", "/api/agent/commands/:id/result", "result"),
    ("GET", "/api/agent/tasks/:id", "task_spec"),
    ("POST", "/api/agent/records/:id", "update_record"),
    ("PUT", "/api/agent/records/:id/artifacts/*", "put_artifact"),
    ("GET", "/api/agent/restores/:id/spec", "restore_spec"),
    ("POST", "/api/agent/restores/:id", "update_restore"),
    ("GET", "/api/agent/restores/:id/artifact", "get_artifact"),
    ("GET", "/api/v1/agent/self", "self"),
    ("POST", "/api/auth/setup", "setup"),
    ("POST", "/api/auth/login", "login"),
    ("POST", "/api/api-keys", "make_key"),
    ("POST", "/api/nodes", "make_node"),
    ("POST", "/api/nodes/batch", "make_nodes"),
    ("GET", "/api/nodes", "nodes"),
    ("GET", "/api/nodes/:id", "node"),
    ("PUT", "/api/nodes/:id", "update_node"),
    ("DELETE", "/api/nodes/:id", "delete_node"),
    ("POST", "/api/nodes/:id/rotate-token", "rotate"),
    ("POST", "/api/nodes/:id/install-tokens", "make_install_token"),
    ("GET", "/api/nodes/:id/fs/list", "list_dir"),
    ("POST", "/api/database/discover", "discover"),
    ("GET", "/install/*", "install"),
    ("GET", "/api/install/*", "install"),
    ("POST", "/api/storage-targets", "make_target"),
    ("DELETE", "/api/storage-targets/:id", "delete_target"),
    ("POST", "/api/backup/tasks", "make_task"),
    ("GET", "/api/backup/tasks/:id", "task"),
    ("PUT", "/api/backup/tasks/:id", "update_task"),
    ("DELETE", "/api/backup/tasks/:id", "delete_task"),
    ("POST", "/api/backup/tasks/:id/run", "run"),
    ("POST", "/api/backup/tasks/batch/run", "run_many"),
    ("POST", "/api/backup/tasks/batch/delete", "delete_tasks"),
    ("GET", "/api/backup/records", "records"),
    ("GET", "/api/backup/records/:id", "record"),
    ("DELETE", "/api/backup/records/:id", "delete_record"),
    ("POST", "/api/backup/records/batch-delete", "delete_records"),
    ("POST", "/api/backup/records/batch/delete", "delete_records"),
    ("POST", "/api/backup/records/:id/restore", "restore"),
    ("GET", "/api/restore/records", "restores"),
    ("GET", "/api/restore/records/:id", "restore_record"),
)
"""Method, path and name of each request that something is concluded from."""

_ID_MAX: Final = 2**63


def _pattern(path: str) -> str:
    return re.escape(path).replace(":id", "([0-9]+)").replace(r"\*", "[^/]+(?:/[^/]+)*")


_COMPILED: Final = tuple(
    (method, re.compile(_pattern(path)), name) for method, path, name in _ROUTES
)


@lru_cache(maxsize=65_536)
def route(line: str) -> Route:
    """Return what a request asks for, given its method and path; of an unknown one, these."""
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    for known, pattern, name in _COMPILED:
        if known == method and (found := pattern.fullmatch(path)):
            number = int(found[1]) if found.groups() and len(found[1]) < 20 else -1
            return Route(name, number if number < _ID_MAX else -1, query)
    return Route(line, -1, query)
