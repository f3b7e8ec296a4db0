"""What `kubectl get` prints: the columns of each kind, as kube-apiserver's printers compute them."""
