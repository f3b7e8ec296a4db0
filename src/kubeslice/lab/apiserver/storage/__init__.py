"""What the server remembers: objects and their recent history, in memory to read and in one SQLite file for good."""
