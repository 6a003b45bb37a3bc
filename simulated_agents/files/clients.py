"""Asking a database server for its databases, with the client that this machine has for it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulated_agents.messages import DiscoverDb
from simulated_agents.worker import WorkError

LIMIT_S: Final = 5.0
"""How long a client may take."""


@dataclass(frozen=True, slots=True)
class _Client:
    """How one kind of server is asked.

    Attributes:
        label: what people call it.
        program: the client.
        arguments: its arguments; the password is none of them.
        password: the variable that it takes the password from.
        hidden: whether a database is the server's own.

    """

    label: str
    program: str
    arguments: Callable[[DiscoverDb], list[str]]
    password: str
    hidden: Callable[[str], bool]


def _mysql(asked: DiscoverDb) -> list[str]:
    who = [f"--host={asked.host}", f"--port={asked.port}", f"--user={asked.user}"]
    return [*who, "-e", "SHOW DATABASES", "--skip-column-names"]


def _psql(asked: DiscoverDb) -> list[str]:
    query = "SELECT datname FROM pg_database WHERE datistemplate = false ORDER BY datname"
    who = ["-h", asked.host, "-p", str(asked.port), "-U", asked.user, "-d", "postgres"]
    return [*who, "-t", "-A", "-c", query]


_MYSQL_OWN: Final = frozenset({"information_schema", "performance_schema", "mysql", "sys"})

_CLIENTS: Final[Mapping[str, _Client]] = {
    "mysql": _Client("MySQL", "mysql", _mysql, "MYSQL_PWD", _MYSQL_OWN.__contains__),
    "postgresql": _Client(
        "PostgreSQL",
        "psql",
        _psql,
        "PGPASSWORD",
        lambda name: name == "postgres" or name.startswith("template"),
    ),
}


def discover(asked: DiscoverDb) -> list[str]:
    """Return the names of a server's databases, without its own.

    Raises:
        WorkError: there is no such client here, or it failed; with its words, which may name the
            server and the user, never the password.

    """
    client = _CLIENTS.get(asked.type.strip().lower())
    if client is None:
        raise WorkError(f"unsupported database type: {asked.type}")
    program = shutil.which(client.program)
    if program is None:
        raise WorkError(f"系统未安装 {client.program} 客户端")
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are a list, and a master's to give
            [program, *client.arguments(asked)],
            env={**os.environ, client.password: asked.password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WorkError(f"连接 {client.label} 失败：signal: killed") from None
    except (OSError, ValueError) as error:
        raise WorkError(f"连接 {client.label} 失败：{error}") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise WorkError(f"连接 {client.label} 失败：{said or f'exit status {done.returncode}'}")
    names = (line.strip() for line in done.stdout.decode("utf-8", "replace").split("\n"))
    return [name for name in names if name and not client.hidden(name)]
