"""The gateway: one per plane of a slice in a cluster, where the encrypted tunnels to the other clusters end."""
