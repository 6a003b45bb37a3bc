"""`muster serve`: the reference master as a server."""

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

import click

from harness.commands.options import profile_option, timer_options
from harness.stop import StopError
from harness.verdict import Exit
from master.config import Config, Timings
from master.core import WrongKeyError
from master.protocol.profiles import PROFILES
from master.serve import PortTakenError, Server
from master.serve import run as run_server
from master.store.database import DatabaseError

KEY_VARIABLE: Final = "MUSTER_ENCRYPTION_KEY"


class JsonLines(logging.Formatter):
    """Formats each log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8340, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    default="muster.db",
    show_default=True,
    help="SQLite file; made when it is missing. One of the real BackupX opens too.",
)
@click.option(
    "--encryption-key-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"File with the key of stored credentials; else ${KEY_VARIABLE}; else the database's own.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@profile_option
@timer_options()
def serve(
    host: str,
    port: int,
    database: Path,
    encryption_key_file: Path | None,
    log_level: str,
    until_stdin_closes: bool,
    profile: str,
    **timers: float,
) -> None:
    """Serve the reference master until SIGINT or SIGTERM."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    config = Config(
        timings=Timings(**timers),
        profile=PROFILES[profile],
        encryption_key=_key(encryption_key_file),
    )
    if until_stdin_closes:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    try:
        run_server(Server(host, port, database, config), _announce)
    except PortTakenError as error:
        raise StopError(Exit.TARGET, str(error)) from None
    except DatabaseError as error:
        raise StopError(Exit.TARGET, str(error)) from None
    except WrongKeyError as error:
        raise StopError(
            Exit.USAGE,
            f"{database}: {error}. Give the right one by --encryption-key-file or ${KEY_VARIABLE};"
            " no row was changed.",
        ) from None


def _key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(KEY_VARIABLE) or None
    try:
        key = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StopError(Exit.USAGE, f"{file}: the key cannot be read: {error}") from None
    if not key:
        raise StopError(Exit.USAGE, f"{file}: expected the encryption key, found an empty file")
    return key


def _announce(url: str, fresh: bool) -> None:
    click.echo(f"listening on {url}")
    if fresh:
        click.echo(
            "no administrator yet: create the first with\n"
            f"  curl -X POST {url}/api/auth/setup -d"
            ' \'{"username":"admin","password":"<8 or more characters>","displayName":"Admin"}\'\n'
            "its answer holds the token for everything else"
        )
    sys.stdout.flush()


def _stop_with_stdin() -> None:
    """Stop when the process that started this one is gone."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
