"""Is what is kept whole, and is there room for more? The raw files are read in slices, each once in some days."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from db import read, write
from db.archive import Archive
from db.connect import (
    Damaged,
    close_writable,
    faults,
    is_current,
    is_damage,
    open_readonly,
    open_writable,
    transaction,
)
from db.write import instant, packed
from pipeline.safekeeping.backup import backups, made_at, newest_whole

DAYS = 28
"""In how many days each raw file is read once."""

SETTING = "self_check"
"""The setting of the history under which the last result is kept."""

_NEWEST_BACKUP = timedelta(days=2)
"""How old the newest backup may be: a daily one may fail once."""

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: a code, one of `database`, `references`, `missing_files`, `damaged_files`, `room`, `backups` and
    `checks`; and one line.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A slice of the raw files: those whose hash, as a number, has this remainder (1 to `of`)."""

    number: int
    of: int

    def of_these(self, hashes: Iterable[str]) -> list[str]:
        """The hashes that are in the slice, whatever others there are."""
        return [sha256 for sha256 in hashes if int(sha256[:12], 16) % self.of == self.number - 1]


def part_of_the_day(now: datetime, days: int = DAYS) -> Part:
    """The slice that is due on a day: each comes once in so many days, and nothing has to be remembered."""
    return Part(now.toordinal() % days + 1, days)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where things are, and how they should be: megabytes free, hours since a check went well.

    Where there is no folder for backups, none are wanted.
    """

    database: Path
    archive: Path
    backups: Path | None
    free_megabytes: int
    stale_hours: float


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, how many raw files there are and were read, and the newest whole backup if one is needed."""

    findings: tuple[Finding, ...]
    files: int
    hashed: int
    restore: Path | None


def self_check(kept: Kept, part: Part, now: datetime) -> Checked:
    """Look at everything; nothing is written.

    Raises:
        HistoryError: there is no history, or it cannot be opened for another reason than damage.
    """
    findings: list[Finding] = []
    files: list[str] = []
    begun = None
    try:
        with closing(open_readonly(kept.database)) as connection:
            findings += _database(connection)
            files = read.workbooks(connection)
            begun = _first_check(connection)
            findings += _last_good_check(connection, kept.stale_hours, now)
    except Damaged as error:
        findings.append(Finding("database", str(error)))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        if not findings:
            findings.append(Finding("database", f"{kept.database}: {error}"))
    chosen = part.of_these(files)
    findings += _raw_files(Archive(kept.archive), files, chosen)
    findings += _room(kept)
    findings += _backups(kept.backups, begun, now)
    damaged = any(one.code in ("database", "references") for one in findings)
    return Checked(tuple(findings), len(files), len(chosen), newest_whole(kept.backups, now) if damaged else None)


def _database(connection: sqlite3.Connection) -> Iterator[Finding]:
    if problems := faults(connection):
        yield Finding("database", f"the database is damaged: {'; '.join(problems[:_NAMED])}")
    wrong = connection.execute("pragma foreign_key_check").fetchall()
    if wrong:
        tables = ", ".join(sorted({row[0] for row in wrong}))
        yield Finding("references", f"{len(wrong)} rows refer to what is not there, in: {tables}")


def _first_check(connection: sqlite3.Connection) -> datetime | None:
    (first,) = connection.execute("select min(finished_at) from check_log").fetchone()
    return read.moment(first) if first else None


def _last_good_check(connection: sqlite3.Connection, hours: float, now: datetime) -> Iterator[Finding]:
    """That no check has gone well for too long. Before the first check there is nothing to say."""
    (good,) = connection.execute(
        "select max(finished_at) from check_log where outcome not in ('failed', 'failed-again')"
    ).fetchone()
    since = read.moment(good) if good else _first_check(connection)
    if since is not None and since < now - timedelta(hours=hours):
        yield Finding("checks", f"no check has gone well since {good}" if good else "no check has gone well yet")


def _raw_files(archive: Archive, files: Sequence[str], chosen: Sequence[str]) -> Iterator[Finding]:
    missing = [sha256 for sha256 in files if sha256 not in archive]
    if missing:
        yield Finding("missing_files", f"{_files(missing)} missing from {archive.root}: {_named(missing)}")
    damaged = [sha256 for sha256, why in archive.verify([one for one in chosen if one not in missing]) if why]
    if damaged:
        yield Finding("damaged_files", f"{_files(damaged)} damaged in {archive.root}: {_named(damaged)}")


def _files(hashes: Sequence[str]) -> str:
    return "1 raw file is" if len(hashes) == 1 else f"{len(hashes)} raw files are"


def _named(hashes: Sequence[str]) -> str:
    more = f" and {len(hashes) - _NAMED} more" if len(hashes) > _NAMED else ""
    return ", ".join(one[:12] for one in hashes[:_NAMED]) + more


def _room(kept: Kept) -> Iterator[Finding]:
    """That a disk has too little room; each once, whatever is on it."""
    seen = set()
    for what, place in (("database", kept.database.parent), ("archive", kept.archive), ("backups", kept.backups)):
        folder = place and next((one for one in (place, *place.parents) if one.is_dir()), None)
        if folder is None or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free // 1_000_000
        if free < kept.free_megabytes:
            yield Finding(
                "room", f"{free:,} MB are free where the {what} is ({folder}), of {kept.free_megabytes:,} wanted"
            )


def _backups(folder: Path | None, begun: datetime | None, now: datetime) -> Iterator[Finding]:
    """That the newest backup is too old. Of a history that was begun lately there need be none."""
    if folder is None:
        return
    newest = next(iter(backups(folder, now)), None)
    if newest is None:
        if begun is not None and begun < now - _NEWEST_BACKUP:
            yield Finding("backups", f"there is no backup in {folder}")
    elif made_at(newest) < now - _NEWEST_BACKUP:
        yield Finding("backups", f"the newest backup is {newest}, made {instant(made_at(newest))}")
    elif made_at(newest) > now:
        yield Finding("backups", f"the clock is behind, or was ahead when {newest} was made")


def record(database: Path, checked: Checked, now: datetime) -> None:
    """Keep the result in the history, for the operators to hear of; a history of an older schema is left alone.

    Raises:
        HistoryError: it cannot be opened.
        sqlite3.Error: it cannot be written.
    """
    if not database.exists() or not is_current(database):
        return
    findings = [[one.code, one.text] for one in checked.findings]
    restore = str(checked.restore) if checked.restore else None
    connection = open_writable(database)
    try:
        with transaction(connection):
            value = packed({"checked_at": instant(now), "findings": findings, "restore": restore})
            write.set_setting(connection, SETTING, value)
    finally:
        close_writable(connection)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The last self-check, as the history keeps it."""

    checked_at: datetime
    findings: tuple[Finding, ...]
    restore: str | None


def recorded(connection: sqlite3.Connection) -> Recorded | None:
    """The last self-check that could be recorded; None if there was none."""
    text = read.setting(connection, SETTING)
    if text is None:
        return None
    value = json.loads(text)
    findings = tuple(Finding(code, line) for code, line in value["findings"])
    return Recorded(read.moment(value["checked_at"]), findings, value["restore"])
