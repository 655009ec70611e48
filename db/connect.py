"""Connections to the history.

Plain `sqlite3`, so that reading and an unchanged check start at once; `sqlite_utils` is loaded only where a migration
is due or a publication is written.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

SCHEMA_VERSION = 3
"""The number of migrations in `db.migrations`; kept in SQLite's user_version."""

BUSY_SECONDS = 30.0

_MAGIC = b"SQLite format 3\0"
_PAGES_AT_ONCE = 256
_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite puts beside a database, by the ends of the names."""


class HistoryError(Exception):
    """The history cannot be opened; the message is one sentence that says what to do."""


class Damaged(HistoryError):  # noqa: N818 - a state of affairs
    """The file is no database or a damaged one: perhaps a history whose place a backup has to take."""


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that a file is damaged, rather than busy, full or asked wrongly."""
    name = getattr(error, "sqlite_errorname", None) or ""
    return name == "SQLITE_NOTADB" or name.startswith("SQLITE_CORRUPT")


def _trouble(path: Path, error: sqlite3.Error | OSError, advice: str = "") -> HistoryError:
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return Damaged(f"{path}: {error}")
    reason = error.strerror if isinstance(error, OSError) else None
    return HistoryError(f"{path}: {reason or error}{advice}")


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
        raise Damaged(f"{path}: file is not a database; name another file with --db")
    with suppress(sqlite3.DatabaseError), closing(_connect(path, immutable=True)) as connection:
        _version(connection, path)


def open_writable(path: Path) -> sqlite3.Connection:
    """Open the history for reading and writing, creating it and applying migrations as needed.

    WAL, foreign keys, a busy time-out; every commit is synced to the disk. Before a history of an older version is
    migrated, a copy of it is put beside it: `history.db.schema-1.bak`.

    Raises:
        HistoryError: the folder cannot be written, the file is no SQLite database, a newer version made it, or it
            cannot be copied before a migration, which then is not begun.
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
        raise _trouble(path, error, "; is it a history made by watch287g, and is its folder writable?") from error
    except OSError as error:
        raise _trouble(path, error, "; name another file with --db") from error
    connection.row_factory = sqlite3.Row
    return connection


def is_current(path: Path) -> bool:
    """Whether a history that is there needs no migration.

    Raises:
        HistoryError: it is no history, or a newer version made it.
    """
    try:
        with closing(_connect(path)) as connection:
            return _version(connection, path) == SCHEMA_VERSION
    except sqlite3.DatabaseError as error:
        raise _trouble(path, error) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if 0 < version < SCHEMA_VERSION:
        _keep(connection, path, version)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    if version < SCHEMA_VERSION:
        from db import migrations

        migrations.apply(connection, SCHEMA_VERSION)


def _keep(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy a history before it is migrated; the copy that an interrupted migration has left is the right one."""
    (steps,) = connection.execute("select count(*) from _sqlite_migrations").fetchone()
    kept = path.with_name(f"{path.name}.schema-{version}.bak")
    if steps > version and kept.exists():
        return
    try:
        copy_whole(path, kept)
    except HistoryError as error:
        raise type(error)(f"the history was not upgraded, since it must be copied before: {error}") from error


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
        raise _trouble(path, error) from error
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


def copy_whole(path: Path, to: Path) -> None:
    """Copy a history of any schema as it is at this moment, beside whoever writes to it, and check the copy.

    `to` is one file, synced, with the permissions of the original; it appears under its name, or takes the place of
    what was there, once it is known to be whole. Nothing is left of a copy that fails.

    Raises:
        Damaged: the history is.
        HistoryError: it is empty or no history, or the copy cannot be written.
    """
    partial = to.with_name(f".{to.name}.partial")
    try:
        _refuse_full(path, to.parent)
        remove_database(partial)
        try:
            with closing(_connect(path)) as source:
                _copy(source, path, partial)
            partial.chmod(path.stat().st_mode & 0o777)
            sync(partial)
            partial.replace(to)
        except BaseException:
            remove_database(partial)
            raise
        sync(to.parent)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise Damaged(f"{path}: {error}") from error
        raise HistoryError(f"{path} cannot be copied to {to.parent}: {error}") from error
    except OSError as error:
        raise HistoryError(f"{path} cannot be copied to {to.parent}: {error.strerror or error}") from error


def _refuse_full(path: Path, folder: Path) -> None:
    if shutil.disk_usage(folder).free < path.stat().st_size:
        raise HistoryError(f"there is no room for a copy of {path} in {folder}; free some")


def _copy(source: sqlite3.Connection, path: Path, to: Path) -> None:
    if _version(source, path) == 0:
        raise HistoryError(f"{path} is empty; there is nothing to copy")
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    # In WAL, whoever holds on to a moment holds up no writer; and a copy of a moment is not begun anew at each commit.
    source.execute("begin")
    counts = _counts(source)
    with closing(sqlite3.connect(to, isolation_level=None)) as copy:
        source.backup(copy, pages=_PAGES_AT_ONCE)
        copy.execute("pragma journal_mode = delete")
    with closing(_connect(to)) as copy:
        if problems := faults(copy):
            raise Damaged(f"{path} is damaged: {problems[0]}")
        if _counts(copy) != counts:
            raise HistoryError(f"the copy of {path} in {to.parent} is not like it; is the disk sound?")


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of the schema, and how many rows each table has."""
    found = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    counts = {
        name: connection.execute(f'select count(*) from "{name}"').fetchone()[0]  # noqa: S608 - a name of ours
        for (name,) in found
    }
    return counts | {"": connection.execute("pragma user_version").fetchone()[0]}


def faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite's integrity check finds, the first few; nothing, where the database is whole."""
    found = [str(row[0]) for row in connection.execute("pragma integrity_check(5)")]
    return [] if found == ["ok"] else found


def remove_database(path: Path) -> None:
    """Remove a database and what SQLite has put beside it; not there is as good."""
    for end in ("", *_BESIDE):
        Path(f"{path}{end}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or which names a folder has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
