"""How users prove who they are: service account tokens, signed and verified, and impersonation."""
