"""Starts one component as its own process, with the kubeconfig in KUBECONFIG instead of a service account."""

import importlib
import os
import sys
import tempfile
from pathlib import Path

from kubeslice.kube import config
from kubeslice.kube.http import HttpApi
from kubeslice.runtime.app import App, start


def _build(component: str, directory: Path) -> App:
    api = HttpApi(config.from_kubeconfig(Path(os.environ["KUBECONFIG"])))
    main = importlib.import_module(f"kubeslice.{component}.main")
    needs: dict[str, list[str | Path]] = {"agent": ["userspace"], "router": [directory]}
    further = needs.get(component, [])
    made: App = main.build(main.read_settings(), api, *further)
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(start(sys.argv[1], lambda: _build(sys.argv[1], Path(scratch))))
