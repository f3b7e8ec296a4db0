"""The conversation with an OpenVPN process over its management interface, as machines without a socket.

`Server` admits callers, `Client` says whom to call; both remember what they hear. They take a line and return the
lines to answer (management-notes.txt of OpenVPN). `gateway.openvpn` keeps one for each process.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubeslice.plan.tunnels.peers import Peer

BYTES_INTERVAL = 5  # seconds


@dataclass(frozen=True)
class Seen:
    """A peer that is connected: `since` is a Unix time, `serial` that of its certificate."""

    name: str
    endpoint: str
    serial: int
    since: int = 0
    received: int = 0
    sent: int = 0
    routes: tuple[str, ...] = ()


@dataclass
class Notice:
    """A notification that goes on for several lines: what it is about, and the environment told so far."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)


class _Listener:
    """Collects notifications of several lines: `>KIND:words`, any number of `>KIND:ENV,name=value`, `>KIND:ENV,END`."""

    def __init__(self, kind: str) -> None:
        self._start = f">{kind}:"
        self._notice: Notice | None = None

    def hear(self, line: str) -> Notice | None:
        """Return a notification when its last line is heard."""
        rest = line.removeprefix(self._start)
        if rest == line:
            return None
        word, _, tail = rest.partition(",")
        if word != "ENV":
            self._notice = Notice(rest.split(","))
        elif tail == "END":
            notice, self._notice = self._notice, None
            return notice
        elif self._notice is not None:
            name, _, value = tail.partition("=")
            self._notice.environment[name] = value
        return None


class Server:
    """A process that is called: by `callers` (by name of certificate), unless they show one of `revoked` serials."""

    def __init__(self, callers: Mapping[str, Peer], revoked: Collection[int] = ()) -> None:
        self.clients: dict[str, Seen] = {}
        self._admitted: dict[str, Seen] = {}
        self._callers = callers
        self._revoked = revoked
        self._listener = _Listener("CLIENT")

    def greet(self) -> list[str]:
        """Begin a conversation with a process that just started."""
        self.clients, self._admitted = {}, {}
        return [f"bytecount {BYTES_INTERVAL}"]

    def hear(self, line: str, now: float) -> list[str]:
        """Take a line and return what to answer."""
        if line.startswith(">BYTECOUNT_CLI:"):
            self._count(line.partition(":")[2].split(","))
        notice = self._listener.hear(line)
        if notice is None or len(notice.words) < 2:
            return []
        what, client = notice.words[0], notice.words[1]
        if what in ("CONNECT", "REAUTH") and len(notice.words) > 2:
            return self._judge(client, notice.words[2], notice.environment)
        if what == "ESTABLISHED" and client in self._admitted:
            return self._establish(client, now)
        if what == "DISCONNECT":
            self.clients.pop(client, None)
            self._admitted.pop(client, None)
        return []

    def update(self, callers: Mapping[str, Peer], revoked: Collection[int]) -> list[str]:
        """Admit others from now on; return the lines that send those away who may not stay."""
        self._callers, self._revoked = callers, revoked
        known = {**self._admitted, **self.clients}
        return self._kill([client for client, seen in known.items() if not self._may(seen.name, seen.serial)])

    def renew(self) -> list[str]:
        """Return the lines that let those call anew who have other subnets now than when they called."""
        known = [(client, seen) for client, seen in self.clients.items() if seen.name in self._callers]
        return self._kill([client for client, seen in known if seen.routes != _routes(self._callers[seen.name])])

    def find(self, name: str) -> Seen | None:
        """Return what is seen of the peer with this name in its certificate, if it is connected."""
        return next((seen for seen in self.clients.values() if seen.name == name), None)

    def _kill(self, clients: Sequence[str]) -> list[str]:
        # Forgotten at once: OpenVPN itself tells of their end later than of the next call.
        for client in clients:
            self.clients.pop(client, None)
            self._admitted.pop(client, None)
        return [f"client-kill {client}" for client in clients]

    def _may(self, name: str, serial: int) -> bool:
        return name in self._callers and serial not in self._revoked

    def _judge(self, client: str, key: str, environment: Mapping[str, str]) -> list[str]:
        seen = _seen(environment)
        if not self._may(seen.name, seen.serial):
            return [f'client-deny {client} {key} "not a gateway that may call"']
        routes = _routes(self._callers[seen.name])
        if client not in self.clients:  # else it proves itself again, and keeps what it has
            self._admitted[client] = replace(seen, routes=routes)
        return [f"client-auth {client} {key}", *routes, "END"]

    def _establish(self, client: str, now: float) -> list[str]:
        seen = replace(self._admitted.pop(client), since=int(now))
        # A gateway that was started anew calls before we noticed that the old one is gone.
        self.clients = {known: other for known, other in self.clients.items() if other.name != seen.name}
        self.clients[client] = seen
        return []

    def _count(self, words: Sequence[str]) -> None:
        if len(words) == 3 and words[0] in self.clients:
            received, sent = _number(words[1]), _number(words[2])
            self.clients[words[0]] = replace(self.clients[words[0]], received=received, sent=sent)


class Client:
    """A process that calls one of `endpoints`, the next one each time."""

    def __init__(self, endpoints: Sequence[tuple[str, int]], revoked: Collection[int] = ()) -> None:
        self.seen: Seen | None = None
        self.is_calling = False
        self._endpoints = endpoints
        self._revoked = revoked
        self._calls = 0
        self._listener = _Listener("UPDOWN")
        self._serial = 0

    def greet(self) -> list[str]:
        """Begin a conversation with a process that just started."""
        self.seen, self.is_calling = None, True
        return ["state on", f"bytecount {BYTES_INTERVAL}"]

    def hear(self, line: str, now: float) -> list[str]:
        """Take a line and return what to answer."""
        kind, _, rest = line.partition(":")
        if kind == ">REMOTE":
            host, port = self._endpoints[self._calls % len(self._endpoints)]
            self._calls += 1
            return [f"remote MOD {host} {port}"]
        if kind == ">STATE":
            return self._change(rest.split(","), now)
        if kind == ">BYTECOUNT" and self.seen is not None:
            received, _, sent = rest.partition(",")
            self.seen = replace(self.seen, received=_number(received), sent=_number(sent))
        if (notice := self._listener.hear(line)) is not None:
            return self._meet(notice)
        return []

    def update(self, endpoints: Sequence[tuple[str, int]], revoked: Collection[int]) -> list[str]:
        """Call others from now on; a peer that is connected stays, unless its certificate is revoked."""
        self._endpoints, self._revoked = endpoints, revoked
        return self.call() if self.seen is not None and self.seen.serial in revoked else []

    def call(self) -> list[str]:
        """Return the lines that call anew, at the next endpoint; none while a call is on its way."""
        if self.is_calling:
            return []
        self.seen, self.is_calling = None, True
        return ["signal SIGUSR1"]

    def _change(self, words: Sequence[str], now: float) -> list[str]:
        if len(words) < 2:
            return []
        if words[1] != "CONNECTED":
            self.seen, self.is_calling = None, words[1] != "EXITING"
            return []
        self.is_calling = False
        endpoint = _endpoint(*words[4:6]) if len(words) > 5 else ""
        self.seen = Seen("", endpoint, self._serial, since=int(now))
        return []

    def _meet(self, notice: Notice) -> list[str]:
        if notice.words[0] != "UP":
            return []
        self._serial = _seen(notice.environment).serial
        return ["signal SIGUSR1"] if self._serial in self._revoked else []


def _routes(peer: Peer) -> tuple[str, ...]:
    return tuple(f"iroute {subnet.network_address} {subnet.netmask}" for subnet in dict.fromkeys(peer.allowed))


def _seen(environment: Mapping[str, str]) -> Seen:
    address = environment.get("untrusted_ip") or environment.get("untrusted_ip6") or ""
    endpoint = _endpoint(address, environment.get("untrusted_port", ""))
    return Seen(environment.get("common_name", ""), endpoint, _number(environment.get("tls_serial_0", "")))


def _endpoint(host: str, port: str) -> str:
    host = host.removeprefix("::ffff:")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
