"""One replica of the hub as a process of its own: `python -m tests.hub.replica KUBECONFIG IDENTITY PORT`."""

import sys
from pathlib import Path

from kubeslice.hub import main
from kubeslice.hub.hub import Settings
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.runtime.app import App, start


def _build(kubeconfig: Path, identity: str, port: int) -> App:
    chosen = Settings(identity, "https://hub.example:6443")
    return main.build(chosen, HttpApi(from_kubeconfig(kubeconfig)), port)


if __name__ == "__main__":
    sys.exit(start("hub", lambda: _build(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
