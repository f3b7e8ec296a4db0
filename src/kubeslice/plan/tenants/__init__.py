"""Projects, their people and clusters, and what they may: roles, credentials, policies."""
