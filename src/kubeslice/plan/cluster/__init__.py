"""A slice in one cluster: its objects there, its workloads, and what the hub hears of it."""
