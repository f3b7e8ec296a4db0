"""The agent: on every node, wires pods to the segments of their slices. See docs/explanation/data-path.md."""
