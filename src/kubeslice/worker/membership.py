"""One project that this cluster works for: its hub, with which credential, and how to speak with it.

A cluster has one membership for each project it joined, all alike but for the names of slices. The operator makes them
(`worker.operator`); whoever needs the hub of a slice asks `worker.caches` for its membership.
"""

from kubeslice.model import names
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.hubcaches import HubCaches
from kubeslice.worker.hublink import HubLink
from kubeslice.worker.metrics import WorkerMetrics


class Membership:
    """What the operator knows and holds of one project."""

    def __init__(self, enrolled: Enrollment, metrics: WorkerMetrics, clock: Clock) -> None:
        self.member = enrolled.member
        self.api = enrolled.api
        self.token = enrolled.token
        self.secret = enrolled.secret
        self.is_first = enrolled.local.is_first
        self.caches = HubCaches(enrolled.api, enrolled.member, enrolled.local)
        self.link = HubLink(enrolled.member, self.secret, metrics)
        self.reporter = Reporter(enrolled.api, names.WORKER_MANAGER, None, clock)
