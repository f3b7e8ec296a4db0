"""Talking to Kubernetes: seven verbs, an informer that survives 410 and restarts, a work queue, server-side apply.

Components build on these names and never on an HTTP client. Nothing here knows what a slice is.
"""
