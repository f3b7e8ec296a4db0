"""Cluster DNS for the lab: a server that reads a Corefile and does what CoreDNS does, for the plugins people use.

`corefile` parses, `configuration` checks and types what was parsed, `cluster` answers for Services; all pure. `sites`
and `upstream` answer queries, `listeners` speaks UDP and TCP, `__main__` is the program in the `coredns/coredns` image.
"""
