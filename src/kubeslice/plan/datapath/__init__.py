"""What a node and its pods get for a slice: segments, ports, filters, as sets to compare with what is there."""
