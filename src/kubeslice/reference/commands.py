"""The page of the command line, from the tree of commands itself."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from kubeslice.cli.main import app
from kubeslice.reference import markdown


def page() -> str:
    """Return the page of all commands with their arguments and options."""
    parts = [
        part
        for path, command in _commands(typer.main.get_command(app), "kubeslice")
        for part in _section(path, command)
    ]
    return markdown.page(
        "Command line",
        "Every command has `--help`. A command that fails prints one line that starts with `error:` and exits with 1.",
        "`kubeslice run COMPONENT` starts a component; it is what containers do, not people.",
        *parts,
    )


def _commands(command: object, path: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, sub in command.commands.items():
            yield from _commands(sub, f"{path} {name}")
    elif isinstance(command, TyperCommand):
        yield path, command


def _section(path: str, command: TyperCommand) -> list[str]:
    context = typer.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [(markdown.code(" ".join(names.split())), what) for names, what in filter(None, records)]
    return [
        f"## {path}",
        (command.help or "").strip(),
        markdown.listing("", usage),
        markdown.table(("argument or option", "what"), rows),
    ]
