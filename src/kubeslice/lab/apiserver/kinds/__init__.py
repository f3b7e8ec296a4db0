"""What is particular to single built-in kinds: defaults, what a write may change, what field selectors see."""
