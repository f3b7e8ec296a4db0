"""The SQLite file: current objects and the tail of history. Only the store talks to it.

Commits go to the write-ahead log without waiting for the disk (`synchronous=OFF`): they survive the death of the
process, not that of the machine, which is what a lab needs.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kubeslice.lab.apiserver.storage.entry import Change, Entry, Key

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (resource, name)
);
CREATE TABLE IF NOT EXISTS changes (
  revision INTEGER PRIMARY KEY, type TEXT NOT NULL, resource TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL
);
"""


class Database:
    """One cluster's file, opened by one process."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)

    def objects(self) -> Iterator[tuple[Key, Entry]]:
        """Read every object there is."""
        for resource, name, revision, value in self._db.execute("SELECT resource, name, revision, value FROM objects"):
            yield Key(resource, name), Entry(value, revision)

    def changes(self) -> list[Change]:
        """Read the history that was kept, oldest first; the first state of a key in it has no known predecessor."""
        latest: dict[Key, Entry] = {}
        history = []
        for revision, kind, resource, name, value in self._db.execute("SELECT * FROM changes ORDER BY revision"):
            key = Key(resource, name)
            entry = Entry(value, revision)
            history.append(Change(revision, kind, key, entry, latest.get(key)))
            latest[key] = entry
        return history

    def record(self, change: Change) -> None:
        """Write one change, object and history in one transaction."""
        resource, name = change.key
        run = self._db.execute
        run("BEGIN")
        if change.type == "DELETED":
            run("DELETE FROM objects WHERE resource = ? AND name = ?", (resource, name))
        else:
            run(
                "INSERT INTO objects VALUES (?, ?, ?, ?) ON CONFLICT (resource, name)"
                " DO UPDATE SET revision = excluded.revision, value = excluded.value",
                (resource, name, change.revision, change.entry.raw),
            )
        run("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (change.revision, change.type, *change.key, change.entry.raw))
        run("COMMIT")

    def rewrite(self, key: Key, entry: Entry) -> None:
        """Replace the form of an object that has not changed."""
        self._db.execute("UPDATE objects SET value = ? WHERE resource = ? AND name = ?", (entry.raw, *key))

    def forget_before(self, revision: int) -> None:
        """Drop history older than a revision."""
        self._db.execute("DELETE FROM changes WHERE revision < ?", (revision,))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._db.close()
