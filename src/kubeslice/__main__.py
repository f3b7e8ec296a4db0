"""The one program: `kubeslice run COMPONENT` starts a component, everything else is the command line for people.

Components are started by the dozen, so this path imports nothing but the component itself.
"""

import signal
import sys
from importlib import import_module

COMPONENTS = ("hub", "worker", "agent", "gateway", "router", "dns", "webhook", "wait")


def main() -> int:
    """Run a component or the command line; return the exit status."""
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "run" and arguments[1] in COMPONENTS:
        # The first process of a container gets no signal that it has not asked for: a pod that is deleted while its
        # component is being loaded would be waited for until its grace period ends.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        return int(import_module(f"kubeslice.{arguments[1]}.main").main())
    from kubeslice.cli.main import app  # noqa: PLC0415 - typer is for people, not for components

    app(prog_name="kubeslice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
