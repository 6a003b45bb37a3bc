"""The command `muster`. Its exit codes are part of its interface (`harness.verdict.Exit`)."""

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from importlib.metadata import version
from typing import Final, NoReturn

import click

from harness.commands.agent import agent
from harness.commands.agent_test import agent_test
from harness.commands.agents import agents
from harness.commands.check import check
from harness.commands.clauses import clauses, explain
from harness.commands.proxy import proxy
from harness.commands.run import run
from harness.commands.selfcheck import selfcheck
from harness.commands.serve import serve
from harness.commands.target import target
from harness.commands.validate import schema, validate
from harness.stop import StopError
from harness.verdict import Exit


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("backupx-muster"), prog_name="muster")
def cli() -> None:
    """Run conformance suites and simulated agents for the BackupX agent protocol.

    Exit codes: 0 all applicable MUST clauses pass, 1 a violation, 2 unknown or interrupted,
    3 nothing tested, 4 bad usage, scenario or configuration, 5 a fault of muster itself, 6 target
    unreachable or set-up failed.
    """


for command in (
    *(run, check, validate, schema, clauses, explain, selfcheck),
    *(serve, proxy, agent, agents, agent_test, target),
):
    cli.add_command(command)


def _as_interrupt(*_: object) -> None:
    """Treat the end of a job or of its terminal as an interrupt, so that servers are stopped and reports are written."""
    signal.raise_signal(signal.SIGINT)


_UNWRITABLE: Final = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOENT,
    errno.EACCES,
    errno.EROFS,
    errno.EIO,
)
"""What keeps a report or the screen's text from being written that could be, when muster began."""


def _end_unwritten(error: OSError) -> NoReturn:
    """Say what could not be written, and end without another try to write the rest."""
    what = error.filename or "the output"
    with contextlib.suppress(OSError):
        click.echo(f"Error: {what} cannot be written: {error.strerror}", err=True)
    os._exit(Exit.USAGE)


def _heed_signals() -> None:
    """End as an interrupt does when the job or the terminal ends."""
    # whoever a script starts in the background is told to ignore interrupts, and would then ignore
    # SIGTERM too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wants it ignored
        signal.signal(signal.SIGHUP, _as_interrupt)


def _end_given_up(error: BaseException) -> Exit:
    """Say why nobody goes on: an interrupt, or a question at the end of standard input."""
    if isinstance(error.__context__, EOFError):  # click gives both the same name
        click.echo("\nError: there is nobody to answer; say it by options (--help)", err=True)
        return Exit.USAGE
    click.echo("interrupted", err=True)
    return Exit.UNKNOWN


def main() -> None:
    """Run the command line, and turn every way it can end into an exit code."""
    _heed_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        result = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(Exit.USAGE)
    except StopError as error:
        error.show()
        sys.exit(error.code)
    except click.ClickException as error:  # what click itself finds wrong with files and values
        error.show()
        sys.exit(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt) as error:
        sys.exit(_end_given_up(error))
    except SystemExit as error:
        # click and rich end so when the reader is gone (`muster … | head`): nobody knows the rest
        sys.exit(Exit.UNKNOWN if error.code == 1 else error.code)
    except Exception as error:  # noqa: BLE001 - the last door: everything else is our own fault
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            _end_unwritten(error)
        traceback.print_exc()
        click.echo("muster: this is a fault of muster itself; please report it", err=True)
        sys.exit(Exit.INTERNAL)
    sys.exit(result if isinstance(result, int) else Exit.OK)
