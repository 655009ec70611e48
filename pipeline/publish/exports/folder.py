"""Files into a folder, each as a whole or not at all."""

import fcntl
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from db.connect import sync

_INCOMING = ".watch287g-export-"


def replace_files(folder: Path, files: Mapping[str, bytes], outdated: Collection[str]) -> set[str]:
    """Give the files in a folder these contents, in this order, and remove the outdated; gives those that were written.

    Only files whose bytes differ are written. All of them are on the disk before the first takes its place, so a full
    disk changes nothing, and whoever is killed leaves old files and new ones, never a half one. Two at once wait for
    each other. What else is in the folder stays as it is.

    Raises:
        OSError: the folder cannot be made or written, or is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for left in folder.glob(f"{_INCOMING}*"):  # of an export that was killed
            if left.is_file():
                left.unlink(missing_ok=True)
        changed = {name: data for name, data in files.items() if _content(folder / name) != data}
        incoming: dict[str, Path] = {}
        try:
            for name, data in changed.items():
                incoming[name] = _written(folder, data)
            for name, path in incoming.items():
                path.replace(folder / name)
        finally:
            for path in incoming.values():
                path.unlink(missing_ok=True)
        for name in outdated:
            (folder / name).unlink(missing_ok=True)
        sync(folder)
    return set(changed)


def _written(folder: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, prefix=_INCOMING)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _content(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The folder itself is what is locked, so that no lock file lies among what is published."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems lock no folder
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
