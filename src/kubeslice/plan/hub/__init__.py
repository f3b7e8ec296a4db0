"""What the hub makes of slices and clusters: their objects for each member, and how they do as a whole."""
