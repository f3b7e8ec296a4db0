"""The few forms of Markdown that the reference pages use. Pure."""

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Generated from the code by `make generate`. Do not edit. -->"


def page(title: str, *parts: str) -> str:
    """Return a page: its title, then paragraphs, tables and listings with a blank line between them."""
    return "\n\n".join([GENERATED, f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; "" when it would have no rows."""
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_row(headings), "|" + "---|" * len(headings), *lines])


def code(text: str) -> str:
    """Return text as code within a sentence or a cell."""
    return f"`{text}`"


def listing(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def bullets(items: Iterable[str]) -> str:
    """Return a list."""
    return "\n".join(f"* {item}" for item in items)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
