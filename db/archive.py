"""Content-addressed raw files: what ICE posted, under its SHA-256, kept for ever.

A file is written under a temporary name, synced, and renamed, so that a name always stands for the whole content; the
same bytes are stored once.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class ArchiveError(Exception):
    """A raw file is missing, damaged or cannot be written; the message is one sentence."""


class Archive:
    """The folder of raw files: `root/ab/ab12....xlsx`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the file with this hash is, or would be."""
        return self.root / sha256[:2] / f"{sha256}.xlsx"

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def put(self, data: bytes) -> str:
        """Store bytes and return their SHA-256; nothing is written if they are there already, and whole.

        Raises:
            ArchiveError: the disk is full or the folder cannot be written; no partial file is left under the name.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                return sha256
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                _sync_folder(self.root)
            self._write(path, data)
        except OSError as error:
            raise ArchiveError(f"cannot store {sha256[:12]} in {self.root}: {error.strerror or error}") from error
        return sha256

    def put_all(self, contents: list[bytes]) -> list[str]:
        """Store several at once: the disk syncs them side by side."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            return list(pool.map(self.put, contents))

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def get(self, sha256: str) -> bytes:
        """The bytes with this hash, verified.

        Raises:
            ArchiveError: the file is missing or its content has another hash.
        """
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise ArchiveError(
                f"the archive lacks {sha256[:12]} ({error.strerror}); restore {self.path(sha256)}"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArchiveError(f"{self.path(sha256)} is damaged: its content has another SHA-256; restore it")
        return data

    def verify(self, expected: list[str]) -> Iterator[tuple[str, str | None]]:
        """Hash the files again: yields each expected hash and what is wrong with its file, or None."""
        for sha256 in expected:
            try:
                self.get(sha256)
                yield sha256, None
            except ArchiveError as error:
                yield sha256, str(error)

    def strays(self, expected: set[str]) -> list[Path]:
        """Files that no workbook of the history accounts for: leftovers of a crash, or of another history."""
        return sorted(p for p in self.root.glob("*/*") if p.is_file() and p.stem not in expected)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
