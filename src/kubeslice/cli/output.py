"""How commands print what they found: tables for people, JSON and YAML for programs."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kubeslice.cli.target import fail
from kubeslice.kube.api import Object

if TYPE_CHECKING:
    from rich.console import Console

# Wider than any sentence.
WIDTH_OF_PIPES = 4000

Output = Annotated[str, typer.Option("-o", "--output", help="table, json or yaml.")]


def print_list(found: list[Object], output: str) -> None:
    """Print objects as JSON or YAML, for programs."""
    if output == "json":
        import json

        typer.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=2))
    elif output == "yaml":
        import yaml

        typer.echo(yaml.safe_dump_all(found, sort_keys=False), nl=False)
    else:
        fail(f"--output {output!r} is not known: use table, json or yaml")


def console() -> "Console":
    """Return where tables are printed."""
    from rich.console import Console

    # Whatever reads a pipe wants one line for each object.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_OF_PIPES)
