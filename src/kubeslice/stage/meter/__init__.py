"""A traffic meter: a program for both ends of a path, of the standard library alone, that tells what flows noticed."""
