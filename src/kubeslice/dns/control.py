"""Commands to a running Knot DNS: one `knotc` process for a whole transaction, over the control socket.

A process of its own because the Python binding of libknot has another licence and another release for each version of
the server; measured 6 ms for one changed record, of which 5 are the process.
"""

import asyncio
from collections.abc import Sequence
from pathlib import PurePath

TIMEOUT = 10.0


class Refused(Exception):
    """The name server did not accept a command; the message is its own."""


async def send(socket: PurePath, commands: Sequence[str]) -> list[str]:
    """Run the commands in order; return the answers, one line each. Raises `Refused`, also when nobody answers."""
    process = await asyncio.create_subprocess_exec(
        "knotc", "--socket", str(socket), "--timeout", str(int(TIMEOUT)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT + 1):
            output, _ = await process.communicate(("\n".join(commands) + "\n").encode())
    except TimeoutError:
        raise Refused("the name server does not answer on its control socket") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    answers = output.decode(errors="replace").splitlines()
    refusals = [line for line in answers if line.startswith("error")]
    if refusals:
        raise Refused(refusals[0])
    return answers
