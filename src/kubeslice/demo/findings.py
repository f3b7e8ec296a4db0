"""What the demo claims and what it found: the demo succeeds only if every claim held."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One claim, what was measured for it, and whether it held."""

    claim: str
    measured: str
    held: bool


@dataclass(frozen=True)
class Traffic:
    """What a capture on the WAN saw: packets in all, and how many carried the marker in plain text."""

    packets: int
    bytes: int
    plaintext: int


def encryption(through_slice: Traffic, bypass: Traffic) -> Finding:
    """Judge that the WAN never saw the request in plain text, while the same capture sees one around the slice."""
    held = through_slice.packets > 0 and through_slice.plaintext == 0 and bypass.plaintext > 0
    measured = (
        f"{through_slice.packets} packets, {through_slice.plaintext} in plain text; "
        f"around the slice {bypass.plaintext} of {bypass.packets}"
    )
    return Finding("nothing readable on the WAN", measured, held)


def cleaned(claim: str, leftovers: Sequence[str]) -> Finding:
    """Nothing is left; otherwise the first things that are."""
    if not leftovers:
        return Finding(claim, "nothing left", held=True)
    more = f" and {len(leftovers) - 3} more" if len(leftovers) > 3 else ""
    return Finding(claim, ", ".join(leftovers[:3]) + more, held=False)
