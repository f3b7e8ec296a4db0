"""The system rung: whole clusters with KubeSlice on them, used and broken from outside."""
