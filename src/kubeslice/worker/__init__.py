"""The slice operator of a worker cluster: brings what the hub wants into the cluster, and the cluster's state back."""
