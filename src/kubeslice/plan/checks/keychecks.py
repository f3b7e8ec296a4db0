"""What can be wrong with how a slice's keys are renewed. Called by `plan.checks.slicechecks`."""

from collections.abc import Iterator

from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.keys import rotation
from kubeslice.plan.moments import moment
from kubeslice.plan.problems import Problem


def renewal(spec: SliceConfigSpec) -> Iterator[Problem]:
    """Check when keys are renewed."""
    shortest = rotation.SHORTEST_PERIOD
    if spec.rotation_period and (rotation.length(spec.rotation_period) or shortest) < shortest:
        yield Problem(
            "spec.rotationPeriod",
            f"{spec.rotation_period} is too short for all clusters to follow: write 60s or more",
            reason="InvalidRotation",
        )
    if spec.renew_before and moment(spec.renew_before) is None:
        yield Problem(
            "spec.renewBefore",
            f"{spec.renew_before!r} is not a time: write it as 2030-01-31T12:00:00Z",
            reason="InvalidRotation",
        )
