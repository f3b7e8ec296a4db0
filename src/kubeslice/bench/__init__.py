"""Benchmarks: each brings up what it needs in a lab, measures beside a baseline, and ends by itself."""
