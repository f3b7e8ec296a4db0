"""Warnings on the operator's own Deployment, where people look when a cluster finds no way to a hub."""

from kubeslice.model.resources import DEPLOYMENTS
from kubeslice.plan.findings import Finding
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import Caches


async def warn(reporter: Reporter, caches: Caches, finding: Finding) -> None:
    """Tell what is wrong as an event; `reporter` is that of the own cluster."""
    operator = caches.operator
    if operator is not None:
        await reporter.event(DEPLOYMENTS, operator, finding.reason, finding.message, warning=True)
