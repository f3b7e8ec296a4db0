"""A netlink multicast socket per network namespace that tells when something changed there, and nothing more.

What changed is read back by the reconciler that is woken, so a lost or merged message does no harm.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace

# rtnetlink(7), <linux/rtnetlink.h>
LINKS = 0x1
NEIGHBOURS = 0x4
ADDRESSES = 0x10
ROUTES = 0x40
# <linux/netfilter/nfnetlink.h>: NFNLGRP_NFTABLES as a bit of the netfilter family
NETFILTER = 12
NFTABLES = 0x40
PAUSE = 0.02


class Waker:
    """Calls back `pause` seconds after a change in one namespace, once per burst. Holds the namespace until `close`."""

    def __init__(self, source: socket.socket, wake: Callable[[], None], pause: float = PAUSE) -> None:
        self._socket = source
        self._wake = wake
        self._pause = pause
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(source, self._readable)

    def close(self) -> None:
        """Stop listening and let the namespace go."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        with contextlib.suppress(OSError):  # empty, or an overrun: the reconciler looks at everything anyway
            while self._socket.recv(65536):
                pass
        if self._timer is None:
            self._timer = self._loop.call_later(self._pause, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake()


async def follow(groups: int, wake: Callable[[], None]) -> None:
    """Call `wake` after every change in the caller's own namespace, until cancelled."""
    ear = Waker(listen(groups), wake)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        ear.close()


def listen(groups: int, namespace: Namespace | None = None, family: int = socket.NETLINK_ROUTE) -> socket.socket:
    """Open a netlink socket that hears about `groups` of a family in a namespace; give it to a `Waker`."""
    if namespace is None:
        return _open(groups, family)
    with netns.inside(namespace):
        return _open(groups, family)


def _open(groups: int, family: int) -> socket.socket:
    options = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    source = socket.socket(socket.AF_NETLINK, options, family)
    try:
        source.bind((0, groups))
    except OSError:
        source.close()
        raise
    return source
