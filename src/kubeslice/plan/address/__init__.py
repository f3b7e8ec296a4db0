"""What addresses a slice has and who gets which: subnets, parts of clusters, blocks of nodes."""
