"""The embedded API server: its pure parts."""
