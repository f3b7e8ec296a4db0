"""The hub under load: an API server, the hub and the workers of many clusters, each in a process of its own."""
