"""The gateway's own namespace beside what its engine makes: filter, addresses, routes. Blocking, called in threads."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from kubeslice.linux import changes, devices, nftables, observation
from kubeslice.model.errors import Retry
from kubeslice.model.names import OVERLAY_INTERFACE, TRANSIT_TABLE
from kubeslice.plan.datapath import filters, network
from kubeslice.plan.datapath.network import Link, Record, Route
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.routing import routes
from kubeslice.plan.routing.routes import Way
from kubeslice.plan.tunnels.peers import Pair


@dataclass(frozen=True)
class Wanted:
    """What the namespace is to be like. `tunnels` are the devices that the engine has or is about to make."""

    segment: Segment
    plane: int
    tunnels: frozenset[str]
    carried: frozenset[Pair]
    is_leaving: bool


def guard(wanted: Wanted) -> None:
    """Make the filter as wanted: first of all, so that there is no moment in which the pod forwards more than it may.

    Raises `Retry` while the pod has no interface in the slice.
    """
    table = filters.gateway(wanted.segment, wanted.tunnels, wanted.carried, is_leaving=wanted.is_leaving)
    nftables.ensure(table)
    if not devices.is_present(OVERLAY_INTERFACE):
        raise Retry(f"{OVERLAY_INTERFACE} is not there yet: the agent of this node makes it", after=0.05)


def lead(wanted: Wanted, ways: Iterable[Way]) -> None:
    """Make addresses, routes and rules as wanted, as far as the devices are there."""
    present = observation.forwarder()
    links = {record.name: record for record in present if isinstance(record, Link) and record.name in wanted.tunnels}
    passable = [way for way in ways if way.device in links]
    is_carrier = bool(wanted.carried)
    records = routes.gateway(wanted.segment, wanted.plane, links.values(), passable, is_carrier=is_carrier)
    ours = [record for record in present if _is_ours(record, links)]
    changes.apply(network.difference(ours, records))


def _is_ours(record: Record, links: Container[str]) -> bool:
    """Tell whether a record is the gateway's: not what the agent keeps at the interface of the slice."""
    return (
        record.device == "" or record.device in links or (isinstance(record, Route) and record.table == TRANSIT_TABLE)
    )
