"""Putting the hub and the workers onto clusters, and taking them off again: what an administrator does by hand.

Used by `kubeslice install`, by the demo and by the benchmarks alike, over nothing but API servers.
"""
