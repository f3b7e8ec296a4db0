"""Starts one component as its own process, with the kubeconfig in KUBECONFIG instead of a service account."""

import os
import sys
import tempfile
from pathlib import Path

import kubeslice.agent.main
import kubeslice.gateway.main
import kubeslice.router.main
from kubeslice.kube import config
from kubeslice.kube.http import HttpApi
from kubeslice.runtime.app import App, start


def _build(component: str, directory: Path) -> App:
    api = HttpApi(config.from_kubeconfig(Path(os.environ["KUBECONFIG"])))
    match component:
        case "agent":
            return kubeslice.agent.main.build(kubeslice.agent.main.read_settings(), api, "userspace")
        case "gateway":
            return kubeslice.gateway.main.build(kubeslice.gateway.main.read_settings(), api)
    return kubeslice.router.main.build(kubeslice.router.main.read_settings(), api, directory)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(start(sys.argv[1], lambda: _build(sys.argv[1], Path(scratch))))
