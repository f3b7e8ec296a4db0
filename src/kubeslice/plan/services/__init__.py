"""Names: what is exported, what is imported, what DNS answers."""
