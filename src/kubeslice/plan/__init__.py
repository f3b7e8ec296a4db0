"""Decisions: pure functions from what is seen to what should be. No I/O, no clocks, no randomness of their own."""
