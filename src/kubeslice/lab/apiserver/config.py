"""What an API server is told at its start; the command line and the lab make one of these."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from kubeslice.lab.apiserver.interfaces import UserInfo

DEFAULT_SERVICES = IPv4Network("10.96.0.0/16")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One cluster's API server.

    `names` are the further DNS names and addresses of the serving certificate, `advertise` is the URL written into the
    kubeconfig (default: where it listens), `tokens` the static bearer tokens beside the administrator's, `history` the
    number of changes that watches can go back. With `sockets`, the server listens on those, which somebody else has
    bound, instead of making its own.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 6443
    names: tuple[str, ...] = ()
    advertise: str = ""
    services: IPv4Network = DEFAULT_SERVICES
    issuer: str = "https://kubernetes.default.svc.cluster.local"
    kubelet_token_file: Path | None = None
    tokens: Mapping[str, UserInfo] = field(default_factory=dict)
    history: int = 5000
    sockets: tuple[socket.socket, ...] = ()

    @property
    def url(self) -> str:
        """The address that clients are told."""
        return self.advertise or f"https://{self.host}:{self.port}"
