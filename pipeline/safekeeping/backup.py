"""Backups of the history: made, found, thinned out, put in place.

The raw files are not part of a backup: they never change, and any copy of their folder will do.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from db.connect import HistoryError, copy_whole, faults, remove_database, sync, transaction
from db.write import instant

RESTORED = "restored from a copy: it may have been sent before"
"""Why what was still to be sent in a copy is dropped."""

_NAME = re.compile(r"history-(\d{8}T\d{6}Z)\.db")
_STAMP = "%Y%m%dT%H%M%SZ"
_PARTIAL = ".history-*.db.partial*"


class BackupError(Exception):
    """A backup cannot be made or put in place; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, its size in bytes, and the old ones that were removed."""

    path: Path
    size: int
    removed: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restored history.

    `aside` is where the file is that it took the place of, None if there was none; `dropped` counts the messages and
    notices that were still to be sent when the copy was made.
    """

    aside: Path | None
    dropped: int


def backup(database: Path, folder: Path, keep_days: int, now: datetime) -> Made:
    """Copy the history into a folder as `history-20251231T031100Z.db`, beside whoever writes to it, and check the copy.

    Backups that are older than `keep_days` are removed then, the new one never.

    Raises:
        BackupError: the history is damaged, or the folder cannot be written or is full; nothing half-written is left,
            and no backup was removed.
    """
    if not database.exists():
        raise BackupError(f"no backup was made: there is no history at {database} yet")
    path = folder / f"history-{now.astimezone(UTC):{_STAMP}}.db"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            for left in folder.glob(_PARTIAL):  # of a backup that was killed
                left.unlink(missing_ok=True)
            copy_whole(database, path)
            oldest = now - timedelta(days=keep_days)
            old = [one for one in backups(folder, now) if made_at(one) < oldest and one != path]
            for one in old:
                remove_database(one)
            return Made(path, path.stat().st_size, tuple(old))
    except HistoryError as error:
        raise BackupError(f"no backup was made: {error}") from error
    except OSError as error:
        where = error.filename or folder
        raise BackupError(f"no backup was made: {where}: {error.strerror or error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BackupError(f"another backup into {folder} is under way; try again when it has ended") from None
    try:
        yield
    finally:
        lock.release()


def made_at(backup: Path) -> datetime:
    """When a backup was made, by its name; aware, in UTC."""
    found = _NAME.fullmatch(backup.name)
    if found is None:
        raise ValueError(f"{backup.name} is not the name of a backup")
    return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)


def backups(folder: Path, now: datetime) -> list[Path]:
    """The backups in a folder, the newest first; those of a clock that was ahead of `now` come last."""
    found = [one for one in folder.glob("history-*.db") if _is_ours(one)]
    return sorted(found, key=lambda one: (made_at(one) <= now, made_at(one)), reverse=True)


def _is_ours(path: Path) -> bool:
    try:
        made_at(path)
    except ValueError:
        return False
    return path.is_file() and not path.is_symlink()


def newest_whole(folder: Path | None, now: datetime) -> Path | None:
    """The newest backup that SQLite's integrity check finds whole; None if there is none."""
    return next((one for one in backups(folder, now) if is_whole(one)), None) if folder else None


def is_whole(backup: Path) -> bool:
    """Whether a file is a database that SQLite's integrity check finds nothing wrong with."""
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return not faults(connection) and bool(connection.execute("pragma user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def restore(database: Path, copy: Path, now: datetime, *, send: bool = False) -> Restored:
    """Put a copy in the place of a history, under the locks of its writer and its sender.

    What stood there is kept beside it, as `history.db.before-20251231T031100Z`. What was still to be sent when the copy
    was made has probably been sent since, and is dropped unless `send`.

    Raises:
        BackupError: the copy is damaged or no history, or the folder cannot be written; the history stays as it was.
    """
    fresh = database.with_name(f"{database.name}.restoring")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        copy_whole(copy, fresh)
        try:
            dropped = 0 if send else _drop_open(fresh, now)
            sync(fresh)
            aside = _put_aside(database, now) if database.exists() else None
            fresh.replace(database)
            sync(database.parent)
        except BaseException:
            remove_database(fresh)
            raise
    except (HistoryError, sqlite3.DatabaseError) as error:
        raise BackupError(f"{copy} was not put in place: {error}") from error
    except OSError as error:
        raise BackupError(f"{copy} was not put in place: {error.strerror or error}") from error
    return Restored(aside, dropped)


def _drop_open(fresh: Path, now: datetime) -> int:
    """Drop the messages and notices that were to be sent when the copy was made; returns how many."""
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection, transaction(connection):
        if connection.execute("select 1 from sqlite_master where name = 'notice'").fetchone() is None:
            return 0
        messages = connection.execute(
            "update message set state = 'dropped', perhaps = 1, answer = ?, finished_at = ?, next_attempt_at = null"
            " where state in ('due', 'sending')",
            (RESTORED, instant(now)),
        )
        notices = connection.execute(
            "update notice set dropped = ? where message_id is null and dropped is null", (RESTORED,)
        )
        return messages.rowcount + notices.rowcount


def _put_aside(database: Path, now: datetime) -> Path:
    """Keep a history under another name, with its -wal file, which would spoil the one that takes its place.

    The name itself stays until another file takes it, so that there is a history at every moment.
    """
    aside = database.with_name(f"{database.name}.before-{now.astimezone(UTC):{_STAMP}}")
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=0)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    aside.unlink(missing_ok=True)
    try:
        os.link(database, aside)
    except OSError:  # a file system without links
        database.replace(aside)
    for end in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").replace(f"{aside}{end}")
    return aside
