"""What is known about gateways and tunnels of one plane, as it travels from gateway to hub and to the peer."""

from typing import Literal

from pydantic import Field

from kubeslice.model.base import KubeModel, Timestamp, renamed
from kubeslice.model.names import MAX_PLANES


class PlanePeer(KubeModel):
    """Where the gateway of one plane can be reached and how it proves who it is, in one generation of its keys."""

    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    generation: int = Field(default=1, description="Generation of the keys, from 1.", ge=1)
    public_key: str = Field(default="", description="WireGuard public key, base64.", max_length=64)
    endpoints: list[str] = Field(
        default_factory=list, description="Addresses with port where the gateway listens.", max_length=64
    )


class PlaneKeys(KubeModel):
    """The generations of keys that the gateways of one plane use: one, and while keys rotate two."""

    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    generations: list[int] = Field(
        default_factory=lambda: [1],
        description="Generations in force, oldest first; traffic takes the newest that works at both ends.",
        min_length=1,
        max_length=2,
    )


class GatewayCertificate(KubeModel):
    """A certificate that the slice's authority signed for one gateway and one generation of its keys."""

    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    generation: int = Field(description="Generation of the keys, from 1.", ge=1)
    certificate: str = Field(description="X.509 certificate, PEM.", max_length=8192)


class PlaneGateway(PlanePeer):
    """The gateway of one plane, as its own cluster reports it."""

    certificate_request: str = Field(
        default="",
        description="PKCS #10 request for this generation's certificate, PEM; OpenVPN only.",
        max_length=4096,
    )
    pod: str = Field(default="", description="Name of the gateway pod.")
    node: str = Field(default="", description="Node the gateway pod runs on.")


class PlaneState(KubeModel):
    """One tunnel of one plane, as its gateway sees it."""

    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    pod_name: str = Field(default="", description="Gateway pod that reports this.")
    generation: int | None = Field(default=None, description="Generation of the keys that carries the traffic.")
    state: Literal["UP", "DOWN", "UNKNOWN"] = Field(default="UNKNOWN", description="Whether packets get through.")
    since: Timestamp = Field(default="", description="When the state last changed.")
    last_handshake_time: Timestamp = Field(default="", description="When the tunnel's ends last agreed on keys.")
    latency_microseconds: int | None = Field(
        default=None, description="Median round-trip time through the tunnel in microseconds."
    )
    loss_percent: float | None = Field(default=None, description="Lost probes of the last minute in percent.")
    rx_bytes: int | None = Field(default=None, description="Bytes received since the tunnel was made.")
    tx_bytes: int | None = Field(default=None, description="Bytes sent since the tunnel was made.")
    engine: str = Field(default="", description="What carries the tunnel: the kernel or a program, and its version.")
    cipher: str = Field(default="", description="Cipher of the tunnel.")
    path_mtu: int | None = renamed("pathMTU", "Largest packet that gets through the tunnel whole, in bytes.")
    endpoint: str = Field(default="", description="Address and port of the peer in use.")
    message: str = Field(default="", description="What is wrong with the tunnel, where the gateway knows.")
