"""Logs and commands: streams between a client and a container, through the kubelet of its node."""
