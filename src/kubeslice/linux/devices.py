"""Devices that are born in one namespace and live in another: the veth pair of a pod, the VXLAN device of a segment.

Everything else about them is ordinary state, changed by `changes.apply` where they live.
"""

import fcntl
import socket
import struct
from collections.abc import Sequence

from kubeslice.linux import changes, netns
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.plan.datapath.network import Change, Link

_SIOCGIFFLAGS, _IFF_UP = 0x8913, 1


def is_present(name: str) -> bool:
    """Tell whether our own namespace has an interface of this name."""
    return any(name == known for _, known in socket.if_nameindex())


def is_up(name: str) -> bool:
    """Tell whether an interface of our own namespace is there and up (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
        except OSError:
            return False
    return bool(struct.unpack_from("H", answer, 16)[0] & _IFF_UP)


def remove(name: str) -> None:
    """Delete an interface of our own namespace, if it is there."""
    if is_present(name):
        delete(name)


def exists(name: str, namespace: Namespace) -> bool:
    """Tell whether an interface of this name is there: one system call, no program."""
    with netns.inside(namespace):
        return any(name == known for _, known in socket.if_nameindex())


def delete(name: str, namespace: Namespace | None = None) -> None:
    """Delete an interface, and with a veth its peer."""
    run(["ip", "link", "delete", "dev", name], namespace=namespace)


def create_pair(port: Link, peer: Link, inside: Namespace, peer_inside: Namespace, then: Sequence[Change]) -> None:
    """Make a veth pair across two namespaces and make further changes on the port's side, in one batch."""
    ends = f"name {port.name} mtu {port.mtu} type veth peer name {peer.name} address {peer.mac} mtu {peer.mtu}"
    made = f"link add {ends} netns {peer_inside.path}"
    lines = [made, *(line for program, line in changes.lines(then) if program == "ip")]
    batch = "".join(f"{line}\n" for line in lines)
    run(["ip", "-batch", "-"], text=batch, namespace=inside, descriptors=[peer_inside.descriptor])


def create_elsewhere(link: Link, inside: Namespace) -> None:
    """Make a device whose packets leave through the caller's namespace but which lives in another one."""
    options = " ".join(f"{name} {value}".rstrip() for name, value in link.details)
    words = f"ip link add name {link.name} netns {inside.path} address {link.mac} mtu {link.mtu} type {link.kind}"
    run([*words.split(), *options.split()], descriptors=[inside.descriptor])
