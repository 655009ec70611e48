"""Opening a history: new, old, foreign or damaged, for writing and for reading only; and transactions."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from db import read, write
from db.connect import (
    SCHEMA_VERSION,
    HistoryError,
    close_writable,
    examine,
    in_memory,
    open_readonly,
    open_writable,
    transaction,
)
from db.records import ListName, Outcome, Sighting, Trigger

SEEN = datetime(2025, 3, 3, 14, tzinfo=UTC)
TABLES = {"workbook", "sighting", "publication", "agreement", "version", "placement", "event", "check"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "history.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_writable(path)
    yield opened
    opened.close()


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return [tuple(row) for row in connection.execute("select name, sql from sqlite_master order by name")]


def test_a_new_history_has_the_schema_and_keeps_what_is_committed(connection: sqlite3.Connection) -> None:
    names = {row[0] for row in connection.execute("select name from sqlite_master")}

    assert names >= TABLES
    assert connection.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION
    assert connection.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert connection.execute("pragma foreign_keys").fetchone()[0] == 1
    assert connection.execute("pragma synchronous").fetchone()[0] == 2  # full
    assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_the_number_of_the_schema_is_the_number_of_its_migrations(connection: sqlite3.Connection) -> None:
    """Who adds a step and forgets the number would have every history stay as it is."""
    assert connection.execute("select count(*) from _sqlite_migrations").fetchone()[0] == SCHEMA_VERSION


def test_opening_again_changes_nothing(connection: sqlite3.Connection, path: Path) -> None:
    before = schema(connection)
    for _ in range(2):
        open_writable(path).close()

    assert schema(connection) == before


def test_migrations_that_were_applied_are_not_applied_again(connection: sqlite3.Connection, path: Path) -> None:
    """A crash between the tables and the number that says so: the data stay, the views are made again."""
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
    connection.execute("drop view event_log")
    connection.execute("pragma user_version = 0")
    again = open_writable(path)

    assert read.workbooks(again) == ["ab" * 32]
    assert again.execute("select count(*) from event_log").fetchone()[0] == 0
    assert again.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION
    again.close()


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    """A file made by mktemp, or by a crash before the first page was written."""
    path.parent.mkdir()
    path.touch()
    opened = open_writable(path)

    assert read.workbooks(opened) == []
    opened.close()


@pytest.mark.parametrize("opener", [open_writable, open_readonly])
def test_a_history_of_a_newer_version_is_refused_and_left_alone(
    connection: sqlite3.Connection, path: Path, opener: type[sqlite3.Connection]
) -> None:
    connection.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")
    before = schema(connection)

    with pytest.raises(HistoryError, match=r"was made by a newer watch287g \(schema \d+\); upgrade the program"):
        opener(path)
    assert schema(connection) == before


@pytest.mark.parametrize("opener", [open_writable, open_readonly])
def test_a_file_that_is_no_database_is_one_sentence(path: Path, opener: type[sqlite3.Connection]) -> None:
    path.parent.mkdir()
    path.write_bytes(b"PK\x03\x04 a workbook where the database should be" * 100)
    before = path.read_bytes()

    with pytest.raises(HistoryError, match="file is not a database"):
        opener(path)
    assert path.read_bytes() == before


def test_a_folder_where_a_database_should_be_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="unable to open database file"):
        open_writable(tmp_path)


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(HistoryError, match="name another file with --db"):
        open_writable(tmp_path / "file" / "history.db")


def test_reading_where_there_is_nothing_says_how_to_begin_and_makes_no_file(path: Path) -> None:
    with pytest.raises(HistoryError, match=r"there is no history at .* yet; run `watch287g check`"):
        open_readonly(path)
    assert not path.parent.exists()


def test_reading_an_empty_file_says_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.touch()

    with pytest.raises(HistoryError, match="was made by an older watch287g or is empty"):
        open_readonly(path)


@pytest.mark.parametrize("statement", ["delete from workbook", "create table t (x)", "pragma user_version = 9"])
def test_a_connection_for_reading_cannot_write(connection: sqlite3.Connection, path: Path, statement: str) -> None:
    reader = open_readonly(path)

    with pytest.raises(sqlite3.OperationalError, match="attempt to write a readonly database"):
        reader.execute(statement)
    reader.close()


def test_a_reader_is_not_kept_waiting_by_a_writer_and_sees_only_what_is_committed(
    connection: sqlite3.Connection, path: Path
) -> None:
    reader = open_readonly(path)
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
        assert read.workbooks(reader) == []

    assert read.workbooks(reader) == ["ab" * 32]
    reader.close()


def test_what_was_committed_is_in_the_file_itself_after_the_last_word_of_a_writer(
    connection: sqlite3.Connection, path: Path, tmp_path: Path
) -> None:
    """Also while a reader is there, who would keep SQLite from tidying up."""
    reader = open_readonly(path)
    assert read.workbooks(reader) == []
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
    close_writable(connection)

    alone = open_readonly(Path(shutil.copy(path, tmp_path / "alone.db")))
    assert read.workbooks(alone) == read.workbooks(reader) == ["ab" * 32]
    alone.close()
    reader.close()


def read_as_another_user(path: Path) -> str:
    """What somebody says who may not write to the folder: the hashes, or why not. The folder's name stays out of it."""
    script = (
        "import os, sys; from pathlib import Path; from db import read; from db.connect import *; uid = os.getuid();"
        " os.setuid(uid or 65534)\n"
        "try: print(read.workbooks(open_readonly(Path(sys.argv[1]))))\n"
        "except HistoryError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().replace(str(path), path.name)


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A history with one workbook, whose folder only its owner may write to."""
    with TemporaryDirectory(prefix="watch287g-guarded-") as folder:
        path = Path(folder) / "history.db"
        opened = open_writable(path)
        with transaction(opened):
            write.add_workbook(opened, "ab" * 32, 5, SEEN)
        close_writable(opened)
        Path(folder).chmod(0o555)
        yield path
        Path(folder).chmod(0o755)


def test_whoever_may_not_write_to_the_folder_reads_the_file_by_itself(guarded: Path) -> None:
    assert read_as_another_user(guarded) == f"['{'ab' * 32}']"
    assert [path.name for path in guarded.parent.iterdir()] == ["history.db"]


def test_what_only_a_killed_writer_knows_is_not_kept_from_such_a_reader_in_silence(guarded: Path) -> None:
    """Its last commits are in the -wal file, which only a writer can bring home."""
    guarded.parent.chmod(0o755)
    Path(f"{guarded}-wal").write_bytes(b"commits")
    guarded.parent.chmod(0o555)

    assert read_as_another_user(guarded).startswith("history.db is being written, or was left open by a run that was")


@pytest.mark.parametrize("opener", [open_writable, open_readonly])
def test_another_programs_database_is_refused_and_left_as_it_is(
    path: Path, opener: Callable[[Path], sqlite3.Connection]
) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("create table song (title)")
    other.close()
    before = path.read_bytes()

    for ask in (opener, examine):
        with pytest.raises(HistoryError, match="is another program's database"):
            ask(path)
    assert path.read_bytes() == before


def test_a_file_that_is_absent_empty_or_a_history_may_be_opened(path: Path) -> None:
    examine(path)
    path.parent.mkdir()
    path.touch()
    examine(path)
    open_writable(path).close()
    examine(path)


def test_a_copy_in_memory_has_everything_and_changes_nothing(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
    reader = open_readonly(path)
    copy = in_memory(reader)
    with transaction(copy):
        write.add_workbook(copy, "cd" * 32, 5, SEEN)

    assert read.workbooks(copy) == ["ab" * 32, "cd" * 32]
    assert read.workbooks(reader) == ["ab" * 32]
    copy.close()
    reader.close()


def test_an_error_within_a_transaction_leaves_nothing_of_it(connection: sqlite3.Connection) -> None:
    def interrupted() -> None:
        with transaction(connection):
            write.add_workbook(connection, "ab" * 32, 5, SEEN)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read.workbooks(connection) == []
    assert not connection.in_transaction


def test_a_statement_that_fails_leaves_nothing_of_its_transaction(connection: sqlite3.Connection) -> None:
    def wrong() -> None:
        with transaction(connection):
            write.add_workbook(connection, "ab" * 32, 5, SEEN)
            connection.execute(
                "insert into sighting (workbook_id, file_name, seen_at, last_seen_at) values (9, '', '', '')"
            )

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        wrong()
    assert read.workbooks(connection) == []


def test_a_sighting_is_noted_once_however_often_it_is_told(connection: sqlite3.Connection) -> None:
    sighting = Sighting("ab" * 32, "participatingAgencies03032025am.xlsx", SEEN, "https://www.ice.gov/a.xlsx")
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
        assert write.add_sighting(connection, sighting)
        assert not write.add_sighting(connection, sighting)

    assert connection.execute("select count(*) from sighting").fetchone()[0] == 1


def test_the_database_itself_refuses_a_sighting_twice(connection: sqlite3.Connection) -> None:
    """Without a URL too: two nulls would be two different ones to SQLite."""
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
        write.add_sighting(connection, Sighting("ab" * 32, "a.xlsx", SEEN))

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        connection.execute(
            "insert into sighting (workbook_id, file_name, seen_at, last_seen_at)"
            " select workbook_id, file_name, seen_at, last_seen_at from sighting"
        )


def test_a_sighting_only_ever_lasts_longer(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, SEEN)
        write.add_sighting(connection, Sighting("ab" * 32, "a.xlsx", SEEN))
        write.extend_sighting(connection, 1, SEEN + timedelta(days=2))
        write.extend_sighting(connection, 1, SEEN + timedelta(days=1))

    assert connection.execute("select seen_at, last_seen_at from sighting").fetchone()[:] == (
        "2025-03-03T14:00:00Z",
        "2025-03-05T14:00:00Z",
    )


def test_times_are_stored_in_utc_whatever_zone_they_come_in(connection: sqlite3.Connection) -> None:
    from datetime import timezone

    eastern = datetime(2025, 3, 3, 9, 0, 0, tzinfo=timezone(timedelta(hours=-5)))
    with transaction(connection):
        write.add_check(connection, eastern, eastern, Trigger.MANUAL, Outcome.UNCHANGED, {}, "")

    assert connection.execute("select started_at from check_log").fetchone()[0] == "2025-03-03T14:00:00Z"
    assert read.moment("2025-03-03T14:00:00Z") == eastern


def test_what_was_last_seen_of_each_list_is_told_by_time_and_not_by_arrival(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        for sha256, seen in (("ab" * 32, SEEN), ("cd" * 32, SEEN - timedelta(days=9))):
            write.add_workbook(connection, sha256, 5, SEEN)
            write.describe_workbook(connection, sha256, ListName.PENDING, None)
            write.add_sighting(connection, Sighting(sha256, "a.xlsx", seen))

    assert read.last_seen(connection) == {ListName.PENDING: ("ab" * 32, 1)}
