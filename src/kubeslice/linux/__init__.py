"""Reading and changing the kernel's network state; everything here blocks, so callers in an event loop use threads."""
