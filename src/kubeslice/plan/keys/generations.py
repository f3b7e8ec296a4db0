"""Which generations of keys are in force on each plane of a slice. Called by the hub's slices and rotation.

What a VpnKeyRotation says is the truth. Where it says nothing, because it is not there yet or somebody deleted it, what
the members were told last goes on. Where members have newer keys than that, the hub was restored from a backup: what
they use goes on. A generation number is never given out a second time.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]
Generations = dict[int, tuple[int, ...]]

FIRST = 1
# No member can make the others count further than this at once.
LONGEST_LEAP = 1000


def of(entries: Iterable[Mapping[str, Any]]) -> Generations:
    """Return the generations of each plane, oldest first, from `planes` or `gatewayKeys` in wire form."""
    return {
        int(entry.get("plane") or 0): tuple(sorted({int(number) for number in entry.get("generations") or ()}))
        for entry in entries
        if entry.get("generations")
    }


def in_force(
    status: Mapping[str, Any],
    told: Iterable[Mapping[str, Any]],
    planes: int,
    reported: Iterable[Mapping[str, Any]] = (),
) -> Generations:
    """Return the generations of each of the slice's planes.

    `status` is that of the VpnKeyRotation, `told` are the specs of the WorkerSliceConfigs, `reported` the gateways in
    their statuses. A plane that is new starts with the newest generation of the others, so that the planes of a slice
    count alike.
    """
    known = of(status.get("planes") or ()) or _told(told)
    newest = max((numbers[-1] for numbers in known.values()), default=FIRST)
    seen = list(reported)
    return {plane: _with_newer(known.get(plane, (newest,)), plane, seen) for plane in range(planes)}


def continued(held: Iterable[Mapping[str, Any]], told: Iterable[Mapping[str, Any]]) -> Generations:
    """Return the generations that a member goes on with, by what it `held` before and what it is `told` now.

    It never goes back: a hub that tells of older ones only was restored from a backup, and learns from the report.
    """
    before, after = of(held), of(told)
    return {plane: _onward(before.get(plane, ()), numbers) for plane, numbers in after.items()}


def place(entry: Mapping[str, Any]) -> tuple[int, int]:
    """Return the plane and the generation that a reported gateway is of."""
    return int(entry.get("plane") or 0), int(entry.get("generation") or FIRST)


def wire(generations: Mapping[int, Iterable[int]]) -> list[Object]:
    """Return generations as a WorkerSliceConfig has them."""
    return [{"plane": plane, "generations": list(numbers)} for plane, numbers in sorted(generations.items())]


def everything(in_force: Generations, told: Iterable[Mapping[str, Any]]) -> Generations:
    """Return the generations in force and, by plane, those that some member was told of and may still use."""
    result = {plane: set(numbers) for plane, numbers in in_force.items()}
    for spec in told:
        for plane, numbers in of(spec.get("gatewayKeys") or ()).items():
            result.setdefault(plane, set()).update(numbers)
    return {plane: tuple(sorted(numbers)) for plane, numbers in sorted(result.items())}


def _told(specs: Iterable[Mapping[str, Any]]) -> Generations:
    found: Generations = {}
    for spec in specs:
        for plane, numbers in of(spec.get("gatewayKeys") or ()).items():
            found[plane] = max(found.get(plane, ()), numbers, key=lambda some: some[-1:])
    return found


def _with_newer(known: tuple[int, ...], plane: int, reported: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    told = {generation for where, generation in map(place, reported) if where == plane}
    newer = {number for number in told if known[-1] < number <= known[-1] + LONGEST_LEAP}
    return tuple(sorted({*known, *newer})[-2:]) if newer else known


def _onward(held: tuple[int, ...], told: tuple[int, ...]) -> tuple[int, ...]:
    if not held:
        return told
    ahead = {number for number in held if number > told[-1]}
    return tuple(sorted({number for number in told if number >= held[0]} | ahead)[-2:])
