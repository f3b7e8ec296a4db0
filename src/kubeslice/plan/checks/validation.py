"""The one door to all checks of our kinds: the webhook refuses with them, reconcilers report with them.

Every check is pure, sees the object and what it has to agree with, and returns `Problem`s, an empty list when all is
well. The CRDs refuse what one object alone can show; these see also the rest.
"""

from kubeslice.plan.checks.clusterchecks import cluster, project
from kubeslice.plan.checks.exportchecks import PASSING, Exported, service_export
from kubeslice.plan.checks.homechecks import home, project_home
from kubeslice.plan.checks.quotachecks import slice_resource_quota
from kubeslice.plan.checks.slicechecks import awaited, exposure, qos_profile, slice_config, slice_config_change
from kubeslice.plan.cluster.worker_quotas import problems as export_quota
from kubeslice.plan.problems import Problem, refuse

__all__ = [
    "PASSING",
    "Exported",
    "Problem",
    "awaited",
    "cluster",
    "export_quota",
    "exposure",
    "home",
    "project",
    "project_home",
    "qos_profile",
    "refuse",
    "service_export",
    "slice_config",
    "slice_config_change",
    "slice_resource_quota",
]
