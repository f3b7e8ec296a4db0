"""The programs that an engine keeps running: one by name, each started, replaced and ended on its own."""

import asyncio
from typing import Protocol


class Program(Protocol):
    """What runs until it is cancelled: `linux.process.Program`, or one with something around it."""

    async def run(self) -> None:
        """Run, and end everything when cancelled."""
        ...


class Programs:
    """Supervised programs by name. They end with `close`, and with this process whatever happens."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the programs that are kept running."""
        return frozenset(self._tasks)

    def start(self, name: str, program: Program) -> None:
        """Keep a program running under a name that is free."""
        self._tasks[name] = asyncio.create_task(program.run(), name=f"program-{name}")

    async def stop(self, name: str) -> None:
        """End a program, and wait until it has ended; nothing happens when there is none of this name."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """End all programs."""
        await asyncio.gather(*(self.stop(name) for name in self.names))
