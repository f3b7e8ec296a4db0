"""WorkerSliceGwRecycler: how workers of the Go implementation agree to replace a pair of gateways. Nobody acts on it.

Here keys are renewed and gateways replaced without a hand-shake between workers (docs/decisions/0021); the kind is
kept so that objects of a hub that is taken over are stored, and `hub.recyclers` says on each that it has no effect.
"""

from pydantic import Field

from kubeslice.model.base import Kind, KubeModel, Status
from kubeslice.model.resources import WORKERSLICEGWRECYCLERS


class GatewayPair(KubeModel):
    """The two ends of a tunnel."""

    client_id: str = Field(default="", description="Gateway that calls.", max_length=253)
    server_id: str = Field(default="", description="Gateway that is called.", max_length=253)


class WorkerSliceGwRecyclerSpec(KubeModel):
    """Which pair is to be replaced, and how far that is."""

    slice_name: str = Field(default="", description="Slice of the gateways.", max_length=63)
    gw_pair: GatewayPair | None = Field(default=None, description="The two ends of the tunnel.")
    slice_gw_client: str = Field(default="", description="Object of the gateway that calls.", max_length=253)
    slice_gw_server: str = Field(default="", description="Object of the gateway that is called.", max_length=253)
    client_redundancy_number: int | None = Field(default=None, description="Number of the gateway that calls.")
    server_redundancy_number: int | None = Field(default=None, description="Number of the gateway that is called.")
    state: str = Field(default="", description="Step that is asked for.", max_length=253)
    request: str = Field(default="", description="What is asked of the other side.", max_length=253)


class RecycledClient(KubeModel):
    """What the side that calls answered."""

    recycled_client: str = Field(default="", description="Gateway that was replaced.")
    response: str = Field(default="", description="Answer to the request.")


class WorkerSliceGwRecyclerStatus(Status):
    """How far the replacement is."""

    client: RecycledClient | None = Field(default=None, description="What the side that calls answered.")
    recycled_servers: list[str] = Field(default_factory=list, description="Gateways that were replaced.")
    servers_to_recycle: list[str] = Field(default_factory=list, description="Gateways that are to be replaced.")


class WorkerSliceGwRecycler(Kind):
    """A hand-shake of the Go implementation's workers; read, and without effect in this product."""

    resource = WORKERSLICEGWRECYCLERS

    spec: WorkerSliceGwRecyclerSpec = Field(default_factory=WorkerSliceGwRecyclerSpec, description="What is asked for.")
    status: WorkerSliceGwRecyclerStatus = Field(
        default_factory=WorkerSliceGwRecyclerStatus, description="What was answered."
    )
