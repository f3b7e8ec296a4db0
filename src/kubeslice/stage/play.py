"""Running something on a stage from the command line: bounded in time, and cleaned up when somebody interrupts it."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """Somebody asked to stop; what was brought up has been taken down."""


def play(piece: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run `piece` to its end. Raises `Interrupted` after SIGTERM or Ctrl-C, TimeoutError after `seconds`."""
    try:
        return asyncio.run(_bounded(piece, seconds))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted("interrupted; everything was taken down") from None


async def _bounded(piece: Coroutine[Any, Any, T], seconds: float) -> T:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with asyncio.timeout(seconds):
            return await piece
    except TimeoutError:
        raise TimeoutError(f"it did not end within {seconds:g} s") from None


def reason(failure: BaseException) -> str:
    """Return the sentence of the first failure in a group of them."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure) or type(failure).__name__
