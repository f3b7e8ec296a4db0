"""Whole Kubernetes clusters on one Linux machine: API servers, controllers, nodes and the network between them."""
