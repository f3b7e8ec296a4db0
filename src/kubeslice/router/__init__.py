"""The router: one per slice in a cluster, next hop of its pods to everything else in the slice; BIRD does the work."""
