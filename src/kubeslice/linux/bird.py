"""Talking to a running BIRD over its control socket: the protocol of `birdc`, without starting a program for it."""

import asyncio
import re
from pathlib import Path

from kubeslice.model.errors import Retry

TIMEOUT = 5.0
_FINAL = re.compile(r"^(\d{4}) ")
_FAILED = "8", "9"
_PROTOCOL = re.compile(r"^(?:1002-|1002 | )?(\S+)\s+BGP\s+\S+\s+\S+\s+\S+(?:\s+\S+)?\s*(.*)$")


class Refused(Retry):
    """BIRD did not do what it was asked; the sentence is its own."""


async def ask(control: Path, command: str) -> list[str]:
    """Return the lines of BIRD's answer to a command. Raises `Refused`, also while BIRD is not there."""
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(control)
            try:
                await _answer(reader)
                writer.write(f"{command}\n".encode())
                await writer.drain()
                return await _answer(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise Refused(f"BIRD does not answer: {error}", after=0.05) from error


async def configure(control: Path) -> None:
    """Make BIRD read its configuration file again. Raises `Refused`; the old configuration then stays."""
    await ask(control, "configure")


async def sessions(control: Path) -> dict[str, bool]:
    """Return the BGP sessions by name, and whether each is established."""
    matches = (_PROTOCOL.match(line) for line in await ask(control, "show protocols"))
    return {match[1]: "Established" in match[2] for match in matches if match is not None}


async def _answer(reader: asyncio.StreamReader) -> list[str]:
    lines: list[str] = []
    while line := (await reader.readline()).decode(errors="replace").rstrip("\n"):
        lines.append(line)
        if match := _FINAL.match(line):
            if match[1].startswith(_FAILED):
                raise Refused(f"BIRD refuses: {line[5:]}")
            return lines
    raise Refused("BIRD hung up in the middle of an answer")
