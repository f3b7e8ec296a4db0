"""`python -m kubeslice.bench.scale.hubprocess`: the hub as it runs in its pod, with a kubeconfig for its credential."""

import os
import sys
from pathlib import Path

from kubeslice.hub import main
from kubeslice.hub.hub import Settings
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.runtime import app, settings
from kubeslice.runtime.app import App


def _build() -> App:
    connection = from_kubeconfig(Path(os.environ["KUBECONFIG"]))
    chosen = Settings(identity="hub-0", endpoint=f"https://{connection.authority}")
    return main.build(chosen, HttpApi(connection, "kubeslice-hub"), settings.port("HEALTH_PORT", 0))


if __name__ == "__main__":
    sys.exit(app.start("hub", _build))
