"""The hub: turns projects, clusters, slices and exports into what each worker cluster has to do."""
