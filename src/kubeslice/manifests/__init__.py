"""What is installed in a cluster: the objects of hub and worker, as real clusters and the lab both get them.

`kubeslice.manifests.hub.objects(HubValues(...))` and `kubeslice.manifests.worker.objects(WorkerValues(...))` are pure;
whoever installs applies the list in its order.
"""
