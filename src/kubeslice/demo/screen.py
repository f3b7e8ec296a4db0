"""The demo on a terminal: steps with their times as they happen, a table of findings at the end."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table

from kubeslice.demo.findings import Finding


class Screen:
    """Prints progress. On a terminal a running step has a spinner; in a log each step is one line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    @asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[None]:
        """Show a step while it runs and its time when it is done."""
        started = time.monotonic()
        with self._console.status(f"{what} …"):
            try:
                yield
            except BaseException:
                self._console.print(f"  [red]failed[/]  {what}")
                raise
        self._console.print(f"  [green]{time.monotonic() - started:5.1f} s[/]  {what}")

    def say(self, text: str) -> None:
        """Print lines as they are, so that commands in them can be copied."""
        self._console.print(text, soft_wrap=True)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Print the table of claims."""
        table = Table(title=f"What was shown, in {time.monotonic() - self._started:.0f} s", title_justify="left")
        for heading in ("claim", "measured", ""):
            table.add_column(heading, overflow="fold")
        for finding in findings:
            table.add_row(finding.claim, finding.measured, "[green]held[/]" if finding.held else "[red]did not hold[/]")
        self._console.print(table)
