"""Label and field selectors: parsed from the query, matched against objects."""
