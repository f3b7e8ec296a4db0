"""One pod on a node: the process that starts its containers and outlives the kubelet, and what a container is made of.

The kubelet forks a `shim` for each pod, as containerd does, and talks to it over a unix socket.
"""
