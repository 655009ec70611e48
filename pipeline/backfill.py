"""A folder of workbooks that others have kept -> sightings and raw files of the history."""

import csv
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import read, write
from db.archive import Archive
from db.connect import transaction
from db.records import Sighting
from pipeline.derive import seen_by_name
from pipeline.reading.workbook import LIMITS, Unreadable, modified

MANIFEST = "manifest.csv"
_COLUMNS = {"path", "file_name", "seen_at"}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class BackfillError(Exception):
    """The folder cannot be taken in; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: files read, and sightings that the history did not have."""

    files: int
    sightings: int


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    file_name: str
    seen_at: datetime | None
    sha256: str | None


def take_in(folder: Path, connection: sqlite3.Connection, archive: Archive, now: datetime) -> Taken:
    """Copy the folder's workbooks into the archive and note their sightings, in one transaction.

    With a `manifest.csv` (path, file_name, seen_at in UTC, optionally sha256) every line is a sighting; without one
    every .xlsx file below the folder is, dated by its name and its own properties.

    Raises:
        BackfillError: the folder or its manifest is wrong, a file is missing, too large or not the one it should be.
    """
    found = list(_manifest(folder, now) if (folder / MANIFEST).exists() else _from_names(folder))
    if not found:
        raise BackfillError(f"{folder} holds no .xlsx file and no {MANIFEST}")
    contents: dict[Path, bytes] = {}
    for item in found:
        if item.path not in contents:
            contents[item.path] = _bytes(item.path)
    for item in found:
        sha256 = hashlib.sha256(contents[item.path]).hexdigest()
        if item.sha256 is not None and item.sha256.lower() != sha256:
            raise BackfillError(f"{item.path} is not the file that {MANIFEST} names: its SHA-256 is {sha256}")
    hashes = dict(zip(contents, archive.put_all(list(contents.values())), strict=True))
    sightings = 0
    with transaction(connection):
        for path, sha256 in hashes.items():
            write.add_workbook(connection, sha256, len(contents[path]), now)
            _describe(connection, sha256, contents[path])
        for item in found:
            sha256 = hashes[item.path]
            seen_at = item.seen_at or _dated(item, contents[item.path], now)
            if seen_at is None:
                if read.is_sighted(connection, sha256, item.file_name):
                    continue
                seen_at = now
            sightings += write.add_sighting(
                connection, Sighting(sha256, item.file_name, seen_at), recorded_at=max(now, seen_at)
            )
    return Taken(len(contents), sightings)


def _manifest(folder: Path, now: datetime) -> Iterator[_Found]:
    try:
        yield from _from_manifest(folder, now)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BackfillError(f"{folder / MANIFEST} cannot be read: {error}") from None


def _from_manifest(folder: Path, now: datetime) -> Iterator[_Found]:
    with (folder / MANIFEST).open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if missing := _COLUMNS - set(reader.fieldnames or ()):
            raise BackfillError(f"{folder / MANIFEST} has no column {', '.join(sorted(missing))}")
        for number, row in enumerate(reader, 2):
            if None in (row["path"], row["file_name"], row["seen_at"]) or "\0" in row["path"]:
                raise BackfillError(f"{folder / MANIFEST}, line {number} is cut short or not a text")
            path = (folder / row["path"]).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise BackfillError(f"{folder / MANIFEST}, line {number}: {row['path']} is outside the folder")
            try:
                seen_at = datetime.fromisoformat(row["seen_at"])
                seen_at = seen_at.astimezone(UTC) if seen_at.tzinfo else seen_at.replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                raise BackfillError(
                    f"{folder / MANIFEST}, line {number}: {row['seen_at']!r} is no ISO 8601 time"
                ) from None
            if not _EARLIEST <= seen_at <= now + timedelta(days=1):
                raise BackfillError(f"{folder / MANIFEST}, line {number}: nobody has seen a list at {row['seen_at']}")
            yield _Found(path, _clean(Path(row["file_name"]).name), seen_at, row.get("sha256") or None)


def _from_names(folder: Path) -> Iterator[_Found]:
    if not folder.is_dir():
        raise BackfillError(f"{folder} is no folder")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() == ".xlsx":
            yield _Found(path, _clean(path.name), None, None)


def _clean(name: str) -> str:
    """A file name that does no harm on a terminal."""
    return "".join(c for c in name if c.isprintable())[:200]


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMITS.size:
            raise BackfillError(f"{path} is larger than a workbook of ICE's can be ({LIMITS.size} bytes)")
        return path.read_bytes()
    except OSError as error:
        raise BackfillError(f"{path}: {error.strerror or error}") from None


def _describe(connection: sqlite3.Connection, sha256: str, data: bytes) -> None:
    """Note when a workbook was modified, which puts sightings of one moment in order; its sheets are read later."""
    if read.described(connection, sha256) != read.Described(None, None, None):
        return
    try:
        write.describe_workbook(connection, sha256, None, modified(data))
    except Unreadable:
        return  # reading it will say so


def _dated(item: _Found, data: bytes, now: datetime) -> datetime | None:
    try:
        seen = seen_by_name(item.file_name, modified(data))
    except Unreadable:
        seen = seen_by_name(item.file_name, None)
    return seen if seen and seen <= now else None
