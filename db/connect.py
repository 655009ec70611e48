"""Connections to the history.

Plain `sqlite3`, so that reading and an unchanged check start at once; `sqlite_utils` is loaded only where a migration
is due or a publication is written.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

SCHEMA_VERSION = 2
"""The number of migrations in `db.migrations`; kept in SQLite's user_version."""

BUSY_SECONDS = 30.0

_MAGIC = b"SQLite format 3\0"


class HistoryError(Exception):
    """The history cannot be opened; the message is one sentence that says what to do."""


def examine(path: Path) -> None:
    """Look at a file before it is locked and opened for writing; one that is absent or empty may become a history.

    Raises:
        HistoryError: it is no SQLite database, or another program's.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}; name another file with --db") from error
    if start and start != _MAGIC:
        raise HistoryError(f"{path}: file is not a database; name another file with --db")
    with suppress(sqlite3.DatabaseError), closing(_connect(path, immutable=True)) as connection:
        _version(connection, path)


def open_writable(path: Path) -> sqlite3.Connection:
    """Open the history for reading and writing, creating it and applying migrations as needed.

    WAL, foreign keys, a busy time-out; every commit is synced to the disk.

    Raises:
        HistoryError: the folder cannot be written, the file is no SQLite database, or a newer version made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise HistoryError(
            f"{path}: {error}; is it a history made by watch287g, and is its folder writable?"
        ) from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}; name another file with --db") from error
    connection.row_factory = sqlite3.Row
    return connection


def is_current(path: Path) -> bool:
    """Whether a history that is there needs no migration.

    Raises:
        HistoryError: it is no history, or a newer version made it.
    """
    with closing(_connect(path)) as connection:
        return _version(connection, path) == SCHEMA_VERSION


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    if version < SCHEMA_VERSION:
        from db import migrations

        migrations.apply(connection, SCHEMA_VERSION)


def close_writable(connection: sqlite3.Connection) -> None:
    """Close a connection, with all that was committed in the database file itself, for readers of that file alone."""
    with suppress(sqlite3.Error):  # it is committed; a reader that is in the way only leaves it in the -wal file
        connection.execute("pragma busy_timeout = 0")
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("pragma user_version").fetchone()[0])
    ours = _has(connection, "_sqlite_migrations") and (version == 0 or _has(connection, "publication"))
    if not ours and (version or connection.execute("select 1 from sqlite_master").fetchone()):
        raise HistoryError(f"{path} is another program's database; name another file with --db")
    if version > SCHEMA_VERSION:
        raise HistoryError(f"{path} was made by a newer watch287g (schema {version}); upgrade the program to read it")
    return version


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None


def _connect(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    try:
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
    except sqlite3.DatabaseError as error:
        raise HistoryError(f"{path}: {error}") from error


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open the history for reading only.

    Whoever may not write to its folder reads the database file by itself, as the last command left it.

    Raises:
        HistoryError: there is none, it is no history, or a newer version made it.
    """
    refuse_missing(path)
    connection = _connect(path)
    try:
        try:
            version = _version(connection, path)
        except sqlite3.OperationalError:
            if os.access(path.parent, os.W_OK):
                raise
            connection.close()
            connection = _connect_alone(path)
            version = _version(connection, path)
    except (sqlite3.DatabaseError, OSError) as error:
        connection.close()
        raise HistoryError(f"{path}: {error}") from error
    except HistoryError:
        connection.close()
        raise
    if version < SCHEMA_VERSION:
        connection.close()
        raise HistoryError(f"{path} was made by an older watch287g or is empty; run `watch287g check` to upgrade it")
    connection.row_factory = sqlite3.Row
    return connection


def _connect_alone(path: Path) -> sqlite3.Connection:
    """For whoever may not write to the folder, and so cannot make the files by which readers and writers meet."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        raise HistoryError(
            f"{path} is being written, or was left open by a run that was killed, and you may not write to its folder;"
            " try again after the next `watch287g check`"
        )
    return _connect(path, immutable=True)


def refuse_missing(path: Path) -> None:
    """Say how to begin a history where there is none.

    Raises:
        HistoryError: there is no such file.
    """
    if not path.exists():
        raise HistoryError(f"there is no history at {path} yet; run `watch287g check` or `watch287g backfill`")


def in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of the history in memory, to try something on that must not be kept."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    copy.execute("pragma foreign_keys = on")
    copy.row_factory = sqlite3.Row
    return copy


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
