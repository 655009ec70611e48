"""Connections to the history.

Plain `sqlite3`, so that reading and an unchanged check start at once; `sqlite_utils` is loaded only where a migration
is due or a publication is written.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 1
"""The number of migrations in `db.migrations`; kept in SQLite's user_version."""

BUSY_SECONDS = 30.0


class HistoryError(Exception):
    """The history cannot be opened; the message is one sentence that says what to do."""


def open_writable(path: Path) -> sqlite3.Connection:
    """Open the history for reading and writing, creating it and applying migrations as needed.

    WAL, foreign keys, a busy time-out; every commit is synced to the disk.

    Raises:
        HistoryError: the folder cannot be written, the file is no SQLite database, or a newer version made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        raise HistoryError(
            f"{path}: {error}; is it a history made by watch287g, and is its folder writable?"
        ) from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}; name another file with --db") from error
    connection.row_factory = sqlite3.Row
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("pragma user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise HistoryError(f"{path} was made by a newer watch287g (schema {version}); upgrade the program to read it")
    ours = _has(connection, "_sqlite_migrations") and (version == 0 or _has(connection, "publication"))
    if not ours and (version or connection.execute("select 1 from sqlite_master").fetchone()):
        raise HistoryError(f"{path} is another program's database; name another file with --db")
    if version < SCHEMA_VERSION:
        from db import migrations

        migrations.apply(connection, SCHEMA_VERSION)


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open the history for reading only.

    Raises:
        HistoryError: there is none, it is no history, or a newer version made it.
    """
    if not path.exists():
        raise HistoryError(f"there is no history at {path} yet; run `watch287g check` or `watch287g backfill`")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        version = int(connection.execute("pragma user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise HistoryError(f"{path}: {error}") from error
    if version > SCHEMA_VERSION:
        raise HistoryError(f"{path} was made by a newer watch287g (schema {version}); upgrade the program to read it")
    if version < SCHEMA_VERSION:
        raise HistoryError(f"{path} was made by an older watch287g or is empty; run `watch287g check` to upgrade it")
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: everything in the block is committed, or nothing."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
