"""The door to `muster`: an interrupt while it is still being loaded ends it without a word."""

import signal


def main() -> None:
    """Load the command line, and run it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `harness.cli` takes care of it
    from harness.cli import main as run  # noqa: PLC0415 - loading is what takes its time

    run()
