"""The embedded Kubernetes API server: one asyncio process that stores, validates, authorizes and serves one cluster."""
