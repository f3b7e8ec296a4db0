"""How a Kubernetes API server behaves, said in HTTP only: the same tests run against the embedded and the real one."""
