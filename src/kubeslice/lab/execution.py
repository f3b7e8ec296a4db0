"""Runs `ip`, `nft` and `tc` with rendered input in the calling process's network namespace. Blocking, milliseconds.

The callers are the lab's parent and its kubelets, which both do this between other things and never in a hurry.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT = 20.0


class CommandFailed(RuntimeError):
    """A program said no; the message has its words."""


def run(arguments: Sequence[str], text: str = "") -> str:
    """Run a program with `text` as its input and return its output. Raises `CommandFailed`."""
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise CommandFailed(f"{' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def ip_batch(lines: Sequence[str], namespace: str = "") -> None:
    """Run `ip` commands in one process, in a named namespace or here."""
    where = ["-n", namespace] if namespace else []
    run(["ip", *where, "-batch", "-"], "\n".join(lines) + "\n")


def nft(rules: str) -> None:
    """Change nftables in one transaction."""
    run(["nft", "-f", "-"], rules)


def set_sysctls(values: Mapping[str, str]) -> None:
    """Write those kernel settings of this network namespace that the kernel has; keys are paths below /proc/sys."""
    for key, value in values.items():
        setting = Path("/proc/sys", key)
        if setting.exists():
            setting.write_text(value)
