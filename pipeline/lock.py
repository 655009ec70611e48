"""One writer at a time: a lock that the operating system releases when its holder dies, and that names the holder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class Busy(Exception):  # noqa: N818 - a state of affairs
    """The history's lock cannot be had; the message says who has it, or what is in the way."""


@contextmanager
def only_writer(database: Path, wait_seconds: float = 10.0) -> Iterator[None]:
    """Hold the history's lock.

    Raises:
        Busy: another process has held it for `wait_seconds`, or the folder cannot be written.
    """
    with _alone(database, "lock", "writing to", wait_seconds):
        yield


@contextmanager
def only_sender(database: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock of whoever sends the history's messages, beside which its writer goes on.

    Raises:
        Busy: another process has held it for `wait_seconds`, or the folder cannot be written.
    """
    with _alone(database, "alerts.lock", "sending the alerts of", wait_seconds):
        yield


@contextmanager
def only_daemon(database: Path) -> Iterator[None]:
    """Hold the lock of the history's daemon.

    Raises:
        Busy: another process holds it, or the folder cannot be written.
    """
    with _alone(database, "daemon.lock", "the daemon of", 0.0):
        yield


@contextmanager
def _alone(database: Path, name: str, doing: str, wait_seconds: float) -> Iterator[None]:
    lock = FileLock(f"{database}.{name}", timeout=wait_seconds)
    note = Path(f"{database}.{name}.pid")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        holder = note.read_text(encoding="ascii") if note.exists() else "unknown"
        raise Busy(f"another watch287g (process {holder}) is {doing} {database}; try again when it has ended") from None
    except OSError as error:
        raise Busy(
            f"{error.filename or database.parent} cannot be written ({error.strerror or error}); run as the user whose"
            " history it is, or name another file with --db"
        ) from None
    try:
        note.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()
