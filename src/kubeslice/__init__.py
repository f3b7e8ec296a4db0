"""KubeSlice: a flat, encrypted overlay network for each application, across Kubernetes clusters."""

__version__ = "0.1.0"
