"""The Corefile as server blocks and directives. Pure.

Source: coredns/caddy caddyfile lexer and parser, and coredns.io/manual/configuration.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TOKEN = re.compile(r'#[^\n]*|"((?:[^"\\]|\\.)*)"|(\n)|([^\s]+)')
VARIABLE = re.compile(r"\{\$(\w+)\}|\{%(\w+)%\}")


class CorefileError(Exception):
    """The Corefile cannot be used; the sentence says where and why."""


@dataclass(frozen=True)
class Directive:
    """A word with its arguments and, for plugins with a block, what is inside."""

    name: str
    arguments: tuple[str, ...] = ()
    body: tuple["Directive", ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Block:
    """A server block: the zones (with optional ports) it serves, and its plugins."""

    keys: tuple[str, ...]
    directives: tuple[Directive, ...]
    line: int = 0


@dataclass(frozen=True)
class _Line:
    number: int
    words: tuple[str, ...]


def parse(text: str, environment: Mapping[str, str] | None = None) -> list[Block]:
    """Return the server blocks. Raises `CorefileError`."""
    known = environment or {}
    expanded = VARIABLE.sub(lambda found: known.get(found[1] or found[2], ""), text)
    lines = iter(list(_lines(expanded)))
    blocks = []
    keys: list[str] = []
    for line in lines:
        is_open = line.words[-1] == "{"
        words = line.words[:-1] if is_open else line.words
        keys += [key for word in words for key in word.split(",") if key]
        if not is_open:
            continue
        if not keys:
            raise CorefileError(f"line {line.number}: a server block needs a zone before its brace")
        blocks.append(Block(tuple(keys), _body(lines, line.number), line.number))
        keys = []
    if keys:
        raise CorefileError(f"{' '.join(keys)}: a server block needs braces around its plugins")
    return blocks


def _body(lines: Iterator[_Line], opened: int) -> tuple[Directive, ...]:
    found: list[Directive] = []
    for line in lines:
        match line.words:
            case ("}",):
                return tuple(found)
            case (name, *arguments, "{"):
                found.append(Directive(name, tuple(arguments), _body(lines, line.number), line.number))
            case (name, *arguments):
                found.append(Directive(name, tuple(arguments), (), line.number))
    raise CorefileError(f"line {opened}: the brace is never closed")


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that hold words; a closing brace always stands alone."""
    number, words = 1, list[str]()
    for found in TOKEN.finditer(text):
        quoted, newline, plain = found.groups()
        if plain == "}":
            if words:
                yield _Line(number, tuple(words))
            yield _Line(number, ("}",))
            words = []
        elif quoted is not None or plain is not None:
            words.append(quoted if plain is None else plain)
        if newline:
            if words:
                yield _Line(number, tuple(words))
            words = []
            number += 1
        elif plain == "{" and len(words) > 0:
            yield _Line(number, tuple(words))
            words = []
    if words:
        yield _Line(number, tuple(words))
