"""The three ways to patch a document that do not involve ownership; pure functions on JSON values."""
