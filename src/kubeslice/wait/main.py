"""Wait until this network namespace has its slice interface, then end: the init container `run wait`.

Only the standard library and only the parts of it that start fast, because every pod of a slice pays for this process
before its application starts. A netlink multicast socket wakes it; where the kernel refuses one (a sandbox), it looks
again with back-off.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

from kubeslice.model.names import OVERLAY_INTERFACE

_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915  # netdevice(7)
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR = 0x1, 0x10  # rtnetlink(7)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1


def address_of(interface: str) -> str:
    """Tell the IPv4 address of an interface that is up and has a carrier, else an empty string."""
    request = struct.pack("40s", interface.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            flags: int = struct.unpack_from("H", fcntl.ioctl(probe, _SIOCGIFFLAGS, request), 16)[0]
            answer = fcntl.ioctl(probe, _SIOCGIFADDR, request)
        except OSError:  # no such interface, or no address yet
            return ""
    wanted = _IFF_UP | _IFF_RUNNING
    return socket.inet_ntoa(answer[20:24]) if flags & wanted == wanted else ""


def news() -> socket.socket | None:
    """Open a socket that becomes readable when a link or an address here changes; None where that is forbidden."""
    try:
        listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
    except OSError:
        return None
    try:
        listener.bind((0, _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR))
    except OSError:
        listener.close()
        return None
    return listener


def wait(interface: str, listener: socket.socket | None) -> str:
    """Block until `interface` is usable; returns its address."""
    pause = _FIRST_PAUSE
    while not (address := address_of(interface)):
        readable, _, _ = select.select([listener] if listener else [], [], [], pause)
        for source in readable:
            _drain(source)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return address


def _drain(listener: socket.socket) -> None:
    try:
        while listener.recv(65536):
            pass
    except OSError:  # empty, or an overrun: the next look at the interface tells the truth either way
        return


def _stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def main() -> int:
    """Wait for the slice interface; exit status 0 when it is there, 128 + signal when told to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)  # process 1 of a container has no default action for signals
    began = time.monotonic()
    listener = news()
    try:
        address = wait(OVERLAY_INTERFACE, listener)
    finally:
        if listener is not None:
            listener.close()
    os.write(1, f"{OVERLAY_INTERFACE} is up with {address} after {time.monotonic() - began:.3f} s\n".encode())
    return 0
