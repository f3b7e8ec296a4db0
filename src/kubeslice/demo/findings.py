"""What the demo claims and what it found: the demo succeeds only if every claim held."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.stage.observer import Observed


@dataclass(frozen=True)
class Finding:
    """One claim, what was measured for it, and whether it held."""

    claim: str
    measured: str
    held: bool


def encryption(through_slice: Observed, around: Observed) -> Finding:
    """Judge that the WAN never saw the request in plain text, while the same observer sees one around the slice."""
    held = through_slice.packets > 0 and not through_slice.findings and around.readable > 0
    measured = (
        f"{through_slice.packets} packets, {through_slice.readable} in plain text; "
        f"around the slice {around.readable} of {around.packets}"
    )
    if through_slice.findings:
        measured = through_slice.findings[0]
    return Finding("nothing readable on the WAN", measured, held)


def cleaned(claim: str, leftovers: Sequence[str]) -> Finding:
    """Nothing is left; otherwise the first things that are."""
    if not leftovers:
        return Finding(claim, "nothing left", held=True)
    more = f" and {len(leftovers) - 3} more" if len(leftovers) > 3 else ""
    return Finding(claim, ", ".join(leftovers[:3]) + more, held=False)
