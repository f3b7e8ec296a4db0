"""Which resources are served: the built-in ones and those that custom resource definitions add."""
