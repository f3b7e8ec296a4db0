"""The demo: clusters, two slices, an application, and a proof for each claim that the README makes."""
