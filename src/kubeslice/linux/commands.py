"""Running the system's network programs: one call, a bounded wait, and an error that carries what the program said."""

import subprocess
from collections.abc import Sequence

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.model.errors import Retry

TIMEOUT = 10.0


class CommandFailed(Retry):
    """A program of the system refused; the sentence holds its name and its own words."""


def run(
    command: Sequence[str],
    *,
    text: str = "",
    namespace: Namespace | None = None,
    descriptors: Sequence[int] = (),
) -> str:
    """Run a program to its end, in a namespace if one is given; return what it printed. Raises `CommandFailed`."""
    if namespace is None:
        return _run(command, text, descriptors)
    with netns.inside(namespace):
        return _run(command, text, descriptors)


def _run(command: Sequence[str], text: str, descriptors: Sequence[int]) -> str:
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False, pass_fds=tuple(descriptors)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{command[0]} cannot run: {error}") from error
    if done.returncode != 0:
        words = " ".join(done.stderr.decode(errors="replace").split()) or f"exit status {done.returncode}"
        raise CommandFailed(f"{' '.join(command[:3])}: {words}")
    return done.stdout.decode()
