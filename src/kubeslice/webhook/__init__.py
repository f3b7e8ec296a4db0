"""The admission webhook: refuses what cannot work on the hub, prepares pods of a slice on a worker."""
