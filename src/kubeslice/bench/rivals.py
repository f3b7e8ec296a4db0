"""Nebula and tinc between two network namespaces, as their own quick starts configure them; where they are installed.

They are no part of KubeSlice and `make setup` does not install them: whoever wants the comparison does.
"""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubeslice.bench.engines import ADDRESSES, INTERFACES, End, Tunnel, connected, shell

NEBULA_PORT = 14242
TINC_PORT = 10655
NAMES = ("client", "server")
KEY_BITS = 2048


def present() -> list[str]:
    """Return which of them this machine has."""
    programs = {"nebula": "nebula-cert", "tinc": "tincd"}
    return [name for name, program in programs.items() if shutil.which(program)]


@asynccontextmanager
async def nebula(client: End, server: End) -> AsyncIterator[Tunnel]:
    """Yield a Nebula tunnel: its own certificate authority, AES, MTU 1300."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-bench-") as folder:
        ends = (client, server)
        await shell(client, f"cd {folder} && nebula-cert ca -name bench")
        for name, address in zip(NAMES, ADDRESSES, strict=True):
            await shell(client, f"cd {folder} && nebula-cert sign -name {name} -ip {address}/24")
        try:
            for number, end in enumerate(ends):
                _configure_nebula(Path(folder), number, ends[1 - number].underlay)
                start = f"nebula -config {folder}/{NAMES[number]}.json > {folder}/{NAMES[number]}.log 2>&1"
                await shell(end, f"{start} & echo $! > {folder}/{NAMES[number]}.pid")
            yield Tunnel(await connected(client, server), "nebula")
        finally:
            await _ended(ends, folder)


def _configure_nebula(folder: Path, number: int, peer: str) -> None:
    name = NAMES[number]
    anybody = [{"port": "any", "proto": "any", "host": "any"}]
    config = {
        "pki": {"ca": f"{folder}/ca.crt", "cert": f"{folder}/{name}.crt", "key": f"{folder}/{name}.key"},
        "static_host_map": {ADDRESSES[1 - number]: [f"{peer}:{NEBULA_PORT}"]},
        "lighthouse": {"am_lighthouse": False, "hosts": []},
        "listen": {"host": "0.0.0.0", "port": NEBULA_PORT},  # noqa: S104 - inside a throw-away namespace
        "tun": {"dev": INTERFACES[number], "mtu": 1300},
        "firewall": {"outbound": anybody, "inbound": anybody},
    }
    (folder / f"{name}.json").write_text(json.dumps(config))


@asynccontextmanager
async def tinc(client: End, server: End) -> AsyncIterator[Tunnel]:
    """Yield a tinc 1.0 tunnel with its defaults: Blowfish, SHA-1, UDP."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-bench-") as folder:
        ends = (client, server)
        for number, end in enumerate(ends):
            await _tinc_keys(Path(folder), number, end)
        for name, other in (NAMES, NAMES[::-1]):
            shutil.copy(f"{folder}/{other}/hosts/{other}", f"{folder}/{name}/hosts/{other}")
        try:
            for name, end in zip(NAMES, ends, strict=True):
                await shell(
                    end, f"tincd -c {folder}/{name} --pidfile={folder}/{name}.pid --logfile={folder}/{name}.log"
                )
            yield Tunnel(await connected(client, server), "tincd")
        finally:
            await _ended(ends, folder)


async def _tinc_keys(folder: Path, number: int, end: End) -> None:
    name, home = NAMES[number], folder / NAMES[number]
    (home / "hosts").mkdir(parents=True)
    lines = [f"Name = {name}", f"Interface = {INTERFACES[number]}", "Mode = router", "AddressFamily = ipv4"]
    (home / "tinc.conf").write_text("\n".join([*lines, *(["ConnectTo = server"] if name == "client" else [])]) + "\n")
    host = f"Address = {end.underlay}\nPort = {TINC_PORT}\nSubnet = {ADDRESSES[number]}/32\n"
    (home / "hosts" / name).write_text(host)
    up = home / "tinc-up"
    up.write_text(f"#!/bin/sh\nip address add {ADDRESSES[number]}/30 dev $INTERFACE\nip link set $INTERFACE up\n")
    up.chmod(0o755)
    await shell(end, f"tincd -c {home} -K {KEY_BITS} < /dev/null > /dev/null 2>&1")


async def _ended(ends: tuple[End, End], folder: str) -> None:
    for name, end in zip(NAMES, ends, strict=True):
        await end.run(["sh", "-c", f"kill $(cat {folder}/{name}.pid)"])
