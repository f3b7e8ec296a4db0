"""Tunnel engines on their own, between two network namespaces: the baselines that a slice is measured against."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath

from kubeslice.runtime import certificates
from kubeslice.stage.probes import NotMeasured, Path, Run

# Different names, because the control sockets of userspace engines may share a directory.
INTERFACES = ("bench0", "bench1")
ADDRESSES = ("198.18.0.1", "198.18.0.2")
WIREGUARD_PORT = 51999
OPENVPN_PORT = 11194
READY_TRIES = 100


@dataclass(frozen=True)
class End:
    """One end of the raw path: a place to run programs, and its address on the underlay."""

    run: Run
    underlay: str


@dataclass(frozen=True)
class Tunnel:
    """A path through a bare tunnel, and the program that carries it unless the kernel does."""

    path: Path
    program: str


@asynccontextmanager
async def wireguard(client: End, server: End) -> AsyncIterator[Tunnel]:
    """Yield a WireGuard tunnel between two namespaces: the kernel's where there is one, else wireguard-go."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-bench-") as folder:
        ends = (client, server)
        try:
            keys = [await _key(end, f"{folder}/{number}") for number, end in enumerate(ends)]
            for number, end in enumerate(ends):
                other, interface = 1 - number, INTERFACES[number]
                await shell(
                    end,
                    f"ip link add {interface} type wireguard 2>/dev/null || wireguard-go {interface};"
                    f"wg set {interface} listen-port {WIREGUARD_PORT} private-key {folder}/{number} peer {keys[other]} "
                    f"allowed-ips {ADDRESSES[other]}/32 endpoint {ends[other].underlay}:{WIREGUARD_PORT} && "
                    f"ip address add {ADDRESSES[number]}/30 dev {interface} && ip link set {interface} mtu 1420 up",
                )
            yield Tunnel(await connected(client, server), "wireguard-go")
        finally:
            for end, interface in zip(ends, INTERFACES, strict=True):
                await end.run(["ip", "link", "del", interface])


@asynccontextmanager
async def openvpn(client: End, server: End) -> AsyncIterator[Tunnel]:
    """Yield an OpenVPN tunnel configured as the Go implementation does: AES-256-CBC, SHA256, MTU 1300, UDP."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-bench-") as folder:
        _certificates(FilePath(folder))
        common = (
            f"openvpn --dev-type tun --tun-mtu 1300 --txqueuelen 5000 --cipher AES-256-CBC "
            f"--data-ciphers AES-256-CBC --auth SHA256 --keepalive 10 60 --ca {folder}/ca.pem --verb 1 --daemon "
        )
        try:
            await shell(
                server,
                f"{common} --log {folder}/server.log --writepid {folder}/server.pid --dev {INTERFACES[1]} "
                f"--proto udp4 --port {OPENVPN_PORT} "
                f"--tls-server --dh none --cert {folder}/server.pem --key {folder}/server.key "
                f"--ifconfig {ADDRESSES[1]} {ADDRESSES[0]}",
            )
            await shell(
                client,
                f"{common} --log {folder}/client.log --writepid {folder}/client.pid --dev {INTERFACES[0]} "
                f"--proto udp4 --nobind "
                f"--remote {server.underlay} {OPENVPN_PORT} --tls-client --cert {folder}/client.pem "
                f"--key {folder}/client.key --ifconfig {ADDRESSES[0]} {ADDRESSES[1]}",
            )
            yield Tunnel(await connected(client, server), "openvpn")
        finally:
            for end, name in ((client, "client"), (server, "server")):
                await end.run(["sh", "-c", f"kill $(cat {folder}/{name}.pid)"])


async def _key(end: End, file: str) -> str:
    output = await shell(end, f"umask 077; wg genkey > {file} && wg pubkey < {file}")
    return output.decode().strip()


async def shell(end: End, command: str) -> bytes:
    """Run a command line at an end; return its output. Raises `NotMeasured`."""
    output = await end.run(["sh", "-c", command])
    if output.status:
        raise NotMeasured(f"a baseline could not be set up: {output.stderr.decode(errors='replace').strip()}")
    return output.stdout


async def connected(client: End, server: End) -> Path:
    """Return the path through a tunnel as soon as it works. Raises `NotMeasured`."""
    for _ in range(READY_TRIES):
        output = await client.run(["ping", "-n", "-c", "1", "-W", "1", ADDRESSES[1]])
        if output.status == 0:
            return Path(client.run, server.run, ADDRESSES[1])
        await asyncio.sleep(0.05)
    raise NotMeasured("a baseline tunnel did not come up")


def _certificates(folder: FilePath) -> None:
    now, life = datetime.now(UTC), timedelta(hours=1)
    authority = certificates.authority("bench", now, life)
    (folder / "ca.pem").write_bytes(authority.certificate)
    for name in ("server", "client"):
        made = certificates.issue(authority, name, now, life, usage=certificates.SERVER_AND_CLIENT)
        (folder / f"{name}.pem").write_bytes(made.certificate)
        (folder / f"{name}.key").write_bytes(made.key)
