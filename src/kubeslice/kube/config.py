"""Where an API server is and how to prove who we are: service account mounts, kubeconfig files, a hub credential.

Only what production uses: bearer tokens and client certificates. Tokens in files are read again as they rotate.
"""

import base64
import os
import ssl
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Connection:
    """One API server and one credential. `token` is called for every request; `headers` go with every one."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    token: Callable[[], str]
    server_name: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def authority(self) -> str:
        """Return host and port as the Host header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class TokenFile:
    """A token that something else renews on disk (RFC 6750 bearer tokens, KEP-1205 bound tokens)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._value = ""
        self._identity = (0, 0)

    def __call__(self) -> str:
        """Return the token, read again when its file is another."""
        state = self._path.stat()
        identity = (state.st_ino, state.st_mtime_ns)
        if identity != self._identity:
            self._value = self._path.read_text().strip()
            self._identity = identity
        return self._value


def in_cluster(mount: Path = SERVICE_ACCOUNT) -> Connection:
    """Connect as the pod's own service account. Raises OSError or KeyError outside a pod."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return with_token(f"https://{host}:{port}", (mount / "ca.crt").read_text(), TokenFile(mount / "token"))


def with_token(url: str, authority: str, token: Callable[[], str], server_name: str = "") -> Connection:
    """Connect with a token to an API server whose certificate `authority`, in PEM, signed. Raises ValueError."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"{url!r} is not the URL of an API server: write https://host:port")
    tls = ssl.create_default_context(cadata=authority or None) if parts.scheme == "https" else None
    return Connection(parts.hostname, parts.port or (443 if tls else 80), tls, token, server_name)


def from_directory(mount: Path) -> Connection:
    """Connect with a mounted Secret that holds `endpoint`, `ca.crt` and `token` (a worker's hub credential)."""
    endpoint = (mount / "endpoint").read_text().strip()
    return with_token(endpoint, (mount / "ca.crt").read_text(), TokenFile(mount / "token"))


def from_kubeconfig(source: Path | dict[str, Any], context: str | None = None) -> Connection:
    """Connect as a kubeconfig says. Raises KeyError naming what the file lacks."""
    config = source if isinstance(source, dict) else _load(source)
    entry = _named(config, "contexts", _context(config, context))["context"]
    cluster = _named(config, "clusters", entry["cluster"])["cluster"]
    user = _named(config, "users", entry["user"]).get("user") or {}
    authority = _inline(cluster, "certificate-authority")
    connection = with_token(cluster["server"], authority, _token(user), cluster.get("tls-server-name", ""))
    certificate, key = _inline(user, "client-certificate"), _inline(user, "client-key")
    if connection.tls and certificate and key:
        _load_client_certificate(connection.tls, certificate, key)
    return connection


def chosen(kubeconfig: Path, context: str | None = None) -> tuple[str, str]:
    """Return the context of a kubeconfig, its current one unless one is named, and the URL of the API server there.

    Raises KeyError naming what the file lacks.
    """
    config = _load(kubeconfig)
    name = _context(config, context)
    entry = _named(config, "contexts", name)["context"]
    return name, str(_named(config, "clusters", entry["cluster"])["cluster"]["server"])


def acting_as(to: Connection, user: str, groups: Iterable[str] = ()) -> Connection:
    """Return a connection on which the API server takes us for somebody else, where we may impersonate them."""
    named = [("impersonate-user", user), *(("impersonate-group", group) for group in groups)]
    return replace(to, headers=(*to.headers, *named))


def _load(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - 18 ms that in-cluster processes never need

    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def _context(config: dict[str, Any], context: str | None) -> str:
    name = context or config.get("current-context")
    if not name:
        raise KeyError("the kubeconfig has no current context: name one with --context")
    return str(name)


def _named(config: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    for entry in config.get(section) or []:
        if entry["name"] == name:
            return dict(entry)
    raise KeyError(f"the kubeconfig has no entry {name!r} under {section!r}")


def _inline(entry: dict[str, Any], key: str) -> str:
    data = entry.get(f"{key}-data")
    if data:
        return base64.b64decode(data).decode()
    file = entry.get(key)
    return Path(file).read_text() if file else ""


def _token(user: dict[str, Any]) -> Callable[[], str]:
    if user.get("tokenFile"):
        return TokenFile(Path(user["tokenFile"]))
    token = str(user.get("token") or "")
    return lambda: token


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_text(f"{certificate}\n{key}")
        context.load_cert_chain(chain)
