"""Admission webhooks: which configuration concerns a write, what it is sent, what its answer means."""
