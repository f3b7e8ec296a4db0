"""Which end of a tunnel calls the other, where only one of them does: OpenVPN's. Called by the hub's slice reconciler.

The Server comes first in the slice's list. Where it cannot be called, the roles are swapped, and stay so.
"""

from collections.abc import Collection, Mapping

from kubeslice.plan.tunnels.relays import Situation
from kubeslice.plan.tunnels.topology import Pair

PATIENCE = 15.0  # seconds that a pair's tunnels are down before the other end calls
RETRY = 60.0  # seconds until the ends change places again when that did not help


def due(seen: Situation, tried: Mapping[Pair, float]) -> dict[Pair, float]:
    """Return in how many seconds the ends of each pair that is down change places; `tried` is when they last did."""
    waits = {}
    for ends, leg in seen.legs.items():
        if leg.state == "DOWN":
            last = tried.get(ends, leg.since)
            at = last + RETRY if last > leg.since else leg.since + PATIENCE
            waits[ends] = max(0.0, at - seen.now)
    return waits


def swapped(in_force: Collection[Pair], turning: Collection[Pair]) -> frozenset[Pair]:
    """Return the pairs whose ends have changed places, after those in `turning` did so once more."""
    return frozenset(in_force) ^ frozenset(turning)
