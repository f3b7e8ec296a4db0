"""`python -m kubeslice.lab.apiserver`: one API server as a process of its own, for tests and for trying."""

import argparse
import asyncio
import contextlib
import csv
import logging
import signal
from ipaddress import IPv4Network
from pathlib import Path

from kubeslice.lab.apiserver.config import DEFAULT_SERVICES, ServerConfig
from kubeslice.lab.apiserver.interfaces import UserInfo
from kubeslice.lab.apiserver.server import serve


def parse(arguments: list[str] | None = None) -> ServerConfig:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m kubeslice.lab.apiserver", description="A Kubernetes API server.")
    parser.add_argument("--data-dir", type=Path, required=True, help="where objects, keys and the kubeconfig are kept")
    parser.add_argument("--listen", default="127.0.0.1:6443", help="address and port")
    parser.add_argument("--name", action="append", default=[], help="another name or address for the certificate")
    parser.add_argument("--advertise", default="", help="the URL to write into the kubeconfig")
    parser.add_argument("--service-cidr", type=IPv4Network, default=DEFAULT_SERVICES)
    parser.add_argument("--kubelet-token-file", type=Path, help="the bearer token that kubelets accept")
    parser.add_argument("--token-auth-file", type=Path, help='lines of: token,user,uid,"group1,group2"')
    parser.add_argument("--history", type=int, default=5000, help="how many changes watches can go back")
    chosen = parser.parse_args(arguments)
    host, _, port = chosen.listen.rpartition(":")
    return ServerConfig(
        data_dir=chosen.data_dir,
        host=host,
        port=int(port),
        names=tuple(chosen.name),
        advertise=chosen.advertise,
        services=chosen.service_cidr,
        kubelet_token_file=chosen.kubelet_token_file,
        tokens=_tokens(chosen.token_auth_file),
        history=chosen.history,
    )


def _tokens(path: Path | None) -> dict[str, UserInfo]:
    """Read static tokens in kube-apiserver's format."""
    if path is None:
        return {}
    with path.open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if row]
    return {row[0]: UserInfo(row[1], tuple(row[3].split(",")) if len(row) > 3 else (), row[2]) for row in rows}


async def _run(config: ServerConfig) -> None:
    """Serve until told to stop."""
    server = asyncio.create_task(serve(config), name="apiserver")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await server


def main() -> None:
    """Run the server of the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run(parse()))


if __name__ == "__main__":
    main()
