"""What is installed in a cluster: the manifests of hub and worker, as real clusters and the lab both get them.

`hub(HubValues(...))` and `worker(WorkerValues(...))` are pure; whoever installs applies the list in its order.
"""

from kubeslice.manifests.hubside import HubValues, hub
from kubeslice.manifests.pods import Image
from kubeslice.manifests.workerside import HubCredentials, WorkerValues, hub_secret, worker

__all__ = ["HubCredentials", "HubValues", "Image", "WorkerValues", "hub", "hub_secret", "worker"]
