"""The self-check finds what is broken, says so, and has the operators hear of it."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import read, write
from db.archive import Archive
from db.connect import HistoryError, close_writable, open_readonly, open_writable, transaction
from db.records import Outcome, Trigger
from pipeline.cli import entry
from pipeline.notify.affairs import current, ends_are_news
from pipeline.notify.affairs.safekeeping import damage
from pipeline.reports.messages.content import Affair
from pipeline.safekeeping.backup import backup
from pipeline.safekeeping.self_check import (
    DAYS,
    Checked,
    Finding,
    Kept,
    Part,
    part_of_the_day,
    record,
    recorded,
    self_check,
)
from tests.db.histories import COUNTIES, History, Posted, rows

NOW = datetime(2025, 12, 31, 4, 41, tzinfo=UTC)
ALL = Part(1, 1)
POSTED = [Posted("participating", day, rows(*COUNTIES[: 9 + day])) for day in range(4)]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A history with a check of an hour ago and a backup, all well."""
    with History(tmp_path) as history:
        history.post(*POSTED)
        checked(history.connection, NOW - timedelta(hours=1))
        close_writable(history.connection)
    kept = Kept(tmp_path / "history.db", tmp_path / "archive", tmp_path / "backups", 0, 26.0)
    backup(kept.database, tmp_path / "backups", 14, NOW - timedelta(hours=1))
    return kept


@pytest.fixture
def watch287g(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The console script in a folder of its own: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["watch287g", *arguments])
        with pytest.raises(SystemExit) as left:
            sys.exit(entry.main())
        return int(left.value.code or 0), *capsys.readouterr()

    return command


def checked(connection: sqlite3.Connection, when: datetime, outcome: Outcome = Outcome.UNCHANGED) -> None:
    with transaction(connection):
        write.add_check(connection, when, when, Trigger.MANUAL, outcome, {}, "")


def findings(kept: Kept, part: Part = ALL, now: datetime = NOW) -> list[str]:
    return [f"{one.code}: {one.text}" for one in self_check(kept, part, now).findings]


def raw_files(kept: Kept) -> list[str]:
    with closing(open_readonly(kept.database)) as connection:
        return read.workbooks(connection)


def zero(path: Path, start: int, end: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:end] = bytes(end - start)
    path.write_bytes(data)


def leaf_page(database: Path, table: str) -> int:
    """Where the first page of a table begins, in bytes."""
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    return (int(page) - 1) * int(size)


# What is found


def test_where_all_is_well_nothing_is_found(kept: Kept) -> None:
    assert self_check(kept, ALL, NOW) == Checked((), files=4, hashed=4, restore=None)


def test_nothing_is_written(kept: Kept) -> None:
    before = kept.database.read_bytes()
    self_check(kept, ALL, NOW)

    assert kept.database.read_bytes() == before


def test_a_table_that_a_bad_disk_has_emptied_is_found_and_the_backup_named(kept: Kept) -> None:
    start = leaf_page(kept.database, "printed")
    zero(kept.database, start, start + 4096)
    found = self_check(kept, ALL, NOW)

    assert [one.code for one in found.findings] == ["database"]
    assert found.restore == kept.database.parent / "backups" / "history-20251231T034100Z.db"


@pytest.mark.parametrize("damage", ["cut short", "no header", "no schema", "no file at all in it"])
def test_a_database_that_does_not_even_open_is_found(kept: Kept, damage: str) -> None:
    if damage == "cut short":
        kept.database.write_bytes(kept.database.read_bytes()[:100_000])
    elif damage == "no header":
        zero(kept.database, 0, 4096)
    elif damage == "no schema":
        zero(kept.database, 100, 4096)
    else:
        kept.database.write_bytes(b"\0" * 5000)
    found = self_check(kept, ALL, NOW)

    assert [one.code for one in found.findings] == ["database"]
    assert found.restore is not None


def test_rows_that_refer_to_nothing_are_found(kept: Kept) -> None:
    with closing(sqlite3.connect(kept.database)) as connection, connection:
        connection.execute("delete from workbook where id = 1")

    (found, *_) = findings(kept)
    assert found.startswith("references: ")
    assert found.endswith("rows refer to what is not there, in: publication, sighting")


def test_a_raw_file_that_is_missing_is_found_whichever_part_is_read(kept: Kept) -> None:
    gone = raw_files(kept)[2]
    Archive(kept.archive).path(gone).unlink()

    told = f"missing_files: 1 raw file is missing from {kept.archive}: {gone[:12]}"
    assert all(findings(kept, Part(number, 28)) == [told] for number in range(1, 29))


def test_an_archive_that_is_gone_is_one_line(kept: Kept) -> None:
    shutil.rmtree(kept.archive)

    (found,) = findings(kept)
    assert found.startswith(f"missing_files: 4 raw files are missing from {kept.archive}: ")
    assert found.endswith(" and 1 more")


def test_a_raw_file_that_is_damaged_is_found_in_its_part_alone(kept: Kept) -> None:
    spoilt = raw_files(kept)[1]
    zero(Archive(kept.archive).path(spoilt), 40, 50)

    found = [findings(kept, Part(number, 28)) for number in range(1, 29)]
    assert [one for one in found if one] == [[f"damaged_files: 1 raw file is damaged in {kept.archive}: {spoilt[:12]}"]]


def test_each_raw_file_is_read_once_in_so_many_days() -> None:
    hashes = [f"{number * 7_919_000_000_003:064x}" for number in range(1, 500)]
    days = [part_of_the_day(NOW + timedelta(days=day)) for day in range(DAYS)]

    assert sorted(sha256 for part in days for sha256 in part.of_these(hashes)) == sorted(hashes)


def test_too_little_room_is_found_once_for_a_disk(kept: Kept) -> None:
    (found,) = findings(replace(kept, free_megabytes=10**9))
    assert found.startswith("room: ")
    assert f"MB are free where the database is ({kept.database.parent}), of 1,000,000,000 wanted" in found


def test_a_backup_that_is_too_old_is_found(kept: Kept) -> None:
    assert findings(replace(kept, stale_hours=1e6), now=NOW + timedelta(days=1)) == []
    (found,) = findings(replace(kept, stale_hours=1e6), now=NOW + timedelta(days=3))
    assert found.startswith("backups: the newest backup is ")
    assert found.endswith("history-20251231T034100Z.db, made 2025-12-31T03:41:00Z")


def test_a_history_that_has_no_backups_is_found_once_it_is_days_old(kept: Kept) -> None:
    bare = replace(kept, backups=kept.database.parent / "none", stale_hours=1e6)

    assert findings(bare) == []
    assert findings(bare, now=NOW + timedelta(days=3)) == [f"backups: there is no backup in {bare.backups}"]
    assert findings(replace(bare, backups=None), now=NOW + timedelta(days=3)) == []


def test_a_backup_of_the_future_says_that_the_clock_was_wrong(kept: Kept) -> None:
    (found,) = findings(kept, now=NOW - timedelta(days=1))
    assert found.startswith("backups: the clock is behind, or was ahead when ")


def test_a_check_that_went_well_too_long_ago_is_found(kept: Kept) -> None:
    with closing(open_writable(kept.database)) as connection:
        checked(connection, NOW + timedelta(hours=30), Outcome.FAILED)

    told = "checks: no check has gone well since 2025-12-31T03:41:00Z"
    assert findings(kept, now=NOW + timedelta(hours=30)) == [told]


def test_a_history_that_does_not_exist_is_no_damage(kept: Kept) -> None:
    with pytest.raises(HistoryError, match="there is no history at"):
        self_check(replace(kept, database=kept.database.parent / "none.db"), ALL, NOW)


# What the operators hear


def affairs(kept: Kept, *found: Finding, restore: Path | None = None) -> list[Affair]:
    record(kept.database, Checked(found, 4, 4, restore), NOW)
    with closing(open_readonly(kept.database)) as connection:
        return list(damage(connection))


def test_operators_hear_of_what_was_found_until_it_is_mended(kept: Kept) -> None:
    (affair,) = affairs(kept, Finding("room", "3 MB are free where the database is (/srv), of 500 wanted"))

    assert affair.key == "damage:room"
    assert affair.title == "the disk is nearly full"
    assert affair.details[0] == "3 MB are free where the database is (/srv), of 500 wanted"
    assert affair.commands == ("watch287g self-check",)
    assert ends_are_news(affair.key)
    assert affairs(kept) == []


def test_of_a_damaged_database_operators_hear_which_backup_to_restore(kept: Kept) -> None:
    (affair,) = affairs(
        kept, Finding("database", "it is damaged: page 3"), restore=Path("/srv/my backups/history-1.db")
    )
    assert affair.commands == ("watch287g restore '/srv/my backups/history-1.db'", "watch287g self-check")

    (affair,) = affairs(kept, Finding("references", "3 rows refer to what is not there"))
    assert affair.commands == ("watch287g self-check",)
    assert "There is no whole backup." in affair.details


def test_checks_that_fail_are_told_by_the_checks(kept: Kept) -> None:
    assert affairs(kept, Finding("checks", "no check has gone well since 2025")) == []


@pytest.mark.parametrize("code", ["database", "references", "missing_files", "damaged_files", "room", "backups"])
def test_every_other_finding_is_an_affair_that_says_what_to_do(kept: Kept, code: str) -> None:
    (affair,) = affairs(kept, Finding(code, "x"))

    assert affair.key == f"damage:{code}"
    assert len(affair.details) >= 2
    with closing(open_readonly(kept.database)) as connection:
        assert affair in current(connection, NOW, 26.0, None)


def test_before_the_first_self_check_there_is_nothing_to_hear(kept: Kept) -> None:
    with closing(open_readonly(kept.database)) as connection:
        assert recorded(connection) is None
        assert list(damage(connection)) == []


def test_a_history_of_an_older_schema_is_left_alone(kept: Kept) -> None:
    with closing(sqlite3.connect(kept.database)) as connection:
        connection.execute("pragma user_version = 1")
    before = kept.database.read_bytes()
    record(kept.database, Checked((), 0, 0, None), NOW)

    assert kept.database.read_bytes() == before


# The command


def test_the_command_says_that_all_is_well_and_keeps_it(watch287g: Command, kept: Kept, tmp_path: Path) -> None:
    with closing(open_writable(kept.database)) as connection:
        checked(connection, datetime.now(UTC))
    assert watch287g("--db", "history.db", "backup")[0] == 0
    (tmp_path / "config.yaml").write_text("watching: {free_megabytes: 0}\n")

    told = "all is well: the database is whole, 4 raw files of 4 read again\n"
    assert watch287g("--db", "history.db", "self-check", "--part", "1/1") == (0, told, "")
    with closing(open_readonly(kept.database)) as connection:
        last = recorded(connection)
    assert last is not None
    assert (last.findings, last.restore) == ((), None)


def test_the_command_ends_with_1_and_a_line_for_each_thing(watch287g: Command, kept: Kept) -> None:
    shutil.rmtree(kept.archive)
    code, out, err = watch287g("--db", "history.db", "self-check")

    assert (code, err) == (1, "")
    assert [line.partition(":")[0] for line in out.splitlines()] == ["checks", "missing_files", "backups"]
    with closing(open_readonly(kept.database)) as connection:
        assert [affair.key for affair in damage(connection)] == ["damage:missing_files", "damage:backups"]


def test_of_a_damaged_database_the_command_names_the_backup_and_how_to_restore_it(
    watch287g: Command, kept: Kept
) -> None:
    kept.database.write_bytes(kept.database.read_bytes()[:100_000])
    code, out, err = watch287g("--db", "history.db", "self-check")
    newest = kept.database.parent / "backups" / "history-20251231T034100Z.db"

    assert code == 1
    assert out.splitlines()[0] == f"database: {kept.database}: database disk image is malformed"
    told = f"the newest whole backup is {newest}; put it in place with `watch287g --db history.db restore {newest}`"
    assert told in out.splitlines()
    assert err == f"this could not be recorded: {kept.database}: database disk image is malformed\n"


@pytest.mark.parametrize("command", [("status",), ("report",), ("rebuild",), ("list",), ("backup",)], ids=" ".join)
@pytest.mark.parametrize("damage", ["cut short", "no header", "no schema", "a table"])
def test_every_command_explains_a_damaged_database_in_one_sentence(
    watch287g: Command, kept: Kept, damage: str, command: tuple[str, ...]
) -> None:
    newest = kept.database.parent / "backups" / "history-20251231T034100Z.db"
    if damage == "cut short":
        kept.database.write_bytes(kept.database.read_bytes()[:100_000])
    else:
        start = leaf_page(kept.database, "publication") if damage == "a table" else 0
        zero(kept.database, start + (100 if damage == "no schema" else 0), start + 4096)
    code, out, err = watch287g("--db", "history.db", *command)

    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert f"the newest whole backup is {newest}; put it in place with `watch287g --db history.db restore" in err


@pytest.mark.parametrize("part", ["0/28", "29/28", "1", "a/b", "1/0"])
def test_a_part_that_cannot_be_is_refused(watch287g: Command, kept: Kept, part: str) -> None:
    code, _, err = watch287g("--db", "history.db", "self-check", "--part", part)

    assert code == 2
    assert f"{part} is no part, such as 3/28 or 1/1" in err
