"""Services on a node: what kube-proxy does, with nftables, one table replaced as a whole in one transaction.

`frontends` says what Services offer, `ruleset` writes it as nftables text, `flows` names the UDP connections that point
nowhere any more; all three are pure. `main` is the loop that runs in a node's network namespace.
"""
