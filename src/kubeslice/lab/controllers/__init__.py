"""The controllers of a lab cluster: what kube-controller-manager and kube-scheduler do, as far as workloads notice.

Every decision is a pure function over objects; the reconcilers around them only read informers and write to the API.
"""
