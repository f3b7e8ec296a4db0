"""A lab with KubeSlice installed and an application on it: what the demo and the benchmarks play on."""
