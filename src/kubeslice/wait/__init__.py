"""The init container that holds an application back until its slice interface is there."""
