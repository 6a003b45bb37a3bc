"""`muster validate` and `muster schema`: scenario files without a run."""

from pathlib import Path

import click
import msgspec

from harness.scenario.schema import json_schema
from harness.suite import Suite
from harness.verdict import Exit


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
def validate(paths: tuple[Path, ...]) -> int:
    """Check scenario files and show every mistake in them at once."""
    scenarios = Suite.read(paths).scenarios
    click.echo(f"{len(scenarios)} scenarios, no mistakes")
    return Exit.OK if scenarios else Exit.NOTHING_TESTED


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    click.echo(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())
