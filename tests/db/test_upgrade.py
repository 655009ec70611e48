"""A history of an older schema is migrated by the next command that writes, after a copy of it was made."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlite_utils import Database

from db import connect, migrations, outbox, read
from db.archive import Archive
from db.connect import SCHEMA_VERSION, Damaged, HistoryError, open_readonly, open_writable
from db.records import Verdict
from pipeline.cli.context import write_to
from pipeline.derive import Historian, Rules
from tests.db.histories import COUNTIES, History, Posted, rows, snapshot, write_folder

ROOT = Path(__file__).parents[2]
COPY = "history.db.schema-1.bak"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A history as the first schema had it, with an event."""
    with History(tmp_path / "now") as history:
        history.post(Posted("participating", 0, rows(*COUNTIES[:9])), Posted("participating", 1, rows(*COUNTIES[:8])))
        before = {name: rows_of(history.connection, name) for name in tables_of(history.connection)}
    path = tmp_path / "old" / "history.db"
    path.parent.mkdir()
    shutil.copytree(tmp_path / "now" / "archive", path.parent / "archive")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrations.migrate.apply(Database(connection), stop_before="m002_outbox")
        for name in tables_of(connection):
            columns = [row[1] for row in connection.execute(f'pragma table_info("{name}")')]
            places = ", ".join("?" * len(columns))
            for row in before[name] if name != "_sqlite_migrations" else ():
                connection.execute(f'insert into "{name}" values ({places})', row[: len(columns)])  # noqa: S608 - our tables
        connection.execute("delete from setting where name in ('annotated', 'places')")
        connection.execute("pragma user_version = 1")
        connection.execute("pragma journal_mode = wal")
    return path


def tables_of(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]


def rows_of(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(f'select * from "{table}"')]  # noqa: S608 - our tables


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("pragma user_version").fetchone()[0])


def files(path: Path) -> list[str]:
    """What is beside a history, but for the archive and what SQLite puts there."""
    found = (one.name for one in path.parent.iterdir() if one.name != "archive")
    return sorted(name for name in found if not name.endswith(("-wal", "-shm")))


def test_an_older_history_is_upgraded_with_all_it_holds(old: Path, tmp_path: Path) -> None:
    with closing(open_writable(old)) as connection, closing(open_readonly(tmp_path / "now" / "history.db")) as now:
        Historian(connection, Archive(old.parent / "archive"), Rules()).derive()  # as the next check does
        assert snapshot(connection) == snapshot(now)
        assert len(read.workbooks(connection)) == 2
        assert outbox.numbers(connection) == {"open": 0, "due": 0, "failed": 0}
    assert version(old) == SCHEMA_VERSION


def test_a_command_that_writes_leaves_no_agreement_without_agency_and_place(old: Path) -> None:
    with write_to(old) as connection:
        assert read.is_annotated(connection)
        row = connection.execute("select count(*), count(agency_id), count(county_fips) from current_agreements")
        assert tuple(row.fetchone()) == (8, 8, 8)


def test_what_was_held_became_known_when_it_was_decided(tmp_path: Path) -> None:
    """An older history does not say since when it knew a list: the upgrade finds it out, as a rebuild would."""
    with History(tmp_path) as history:
        for day, listed in enumerate((COUNTIES[:40], COUNTIES[:20], COUNTIES[:21], COUNTIES[:5])):
            history.backfill(
                write_folder(tmp_path / str(day), [Posted("participating", day, rows(*listed))]),
                datetime(2025, 3, 3 + day, 15, tzinfo=UTC),
            )
        history.decide(Verdict.ACCEPTED)
        known = history.table("publication_log", "file_name, known_at")
        connection = history.connection
        connection.execute("update sighting set recorded_at = null")
        connection.execute("update publication set known_at = null")
        for statement in migrations.KNOWN:
            connection.execute(statement)
        assert history.table("publication_log", "file_name, known_at") == known
        assert [at for _, at in known] == [
            "2025-03-03T15:00:00Z",
            "2025-03-05T15:00:00Z",
            "2025-03-05T15:00:00Z",
            "2025-12-31T12:00:00Z",
        ]


def test_before_that_a_copy_is_made_beside_it(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        before = {name: rows_of(connection, name) for name in tables_of(connection)}
    open_writable(old).close()

    assert files(old) == ["history.db", COPY]
    with closing(sqlite3.connect(old.with_name(COPY))) as copy:
        assert {name: rows_of(copy, name) for name in tables_of(copy)} == before
    assert version(old.with_name(COPY)) == 1


def test_opening_it_again_copies_nothing(old: Path) -> None:
    open_writable(old).close()
    old.with_name(COPY).unlink()
    open_writable(old).close()

    assert files(old) == ["history.db"]


def test_a_new_history_needs_no_copy(tmp_path: Path) -> None:
    open_writable(tmp_path / "history.db").close()

    assert files(tmp_path / "history.db") == ["history.db"]


def test_reading_upgrades_nothing(old: Path) -> None:
    with pytest.raises(HistoryError, match="was made by an older watch287g or is empty; run `watch287g check`"):
        open_readonly(old)
    assert (files(old), version(old)) == (["history.db"], 1)


def test_the_copy_of_an_upgrade_that_was_interrupted_is_not_replaced(old: Path) -> None:
    """The tables are there, the number is not: what would be copied now is no longer the history as it was."""
    old.with_name(COPY).write_bytes(b"the copy of before")
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        migrations.migrate.apply(Database(connection))
    open_writable(old).close()

    assert old.with_name(COPY).read_bytes() == b"the copy of before"
    assert version(old) == SCHEMA_VERSION


def test_the_copy_of_an_earlier_upgrade_gives_way(old: Path) -> None:
    """An old backup was restored, and is upgraded in its turn."""
    old.with_name(COPY).write_bytes(b"the copy of an earlier time")
    open_writable(old).close()

    assert version(old.with_name(COPY)) == 1


# Where no copy can be made, nothing is migrated


def test_a_damaged_history_is_not_upgraded(old: Path) -> None:
    data = bytearray(old.read_bytes())
    with closing(sqlite3.connect(old)) as connection:
        (page,) = connection.execute("select rootpage from sqlite_master where name = 'printed'").fetchone()
    data[(page - 1) * 4096 : page * 4096] = bytes(4096)
    old.write_bytes(data)

    with pytest.raises(Damaged, match=r"the history was not upgraded, since it must be copied before: .*history\.db"):
        open_writable(old)
    assert (files(old), version(old)) == (["history.db"], 1)


def test_where_the_copy_cannot_be_written_nothing_is_upgraded(old: Path) -> None:
    old.with_name(COPY).mkdir()

    with pytest.raises(
        HistoryError, match=r"^the history was not upgraded, since it must be copied before: .*directory"
    ):
        open_writable(old)
    assert (files(old), version(old)) == (["history.db", COPY], 1)


LIMITED = """
import resource, sys
from pathlib import Path
from db.connect import HistoryError, open_writable
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    open_writable(Path(sys.argv[1]))
except HistoryError as error:
    print(error)
"""


def test_without_room_for_the_copy_nothing_is_upgraded(old: Path) -> None:
    said = python(LIMITED, old)

    assert said.startswith("the history was not upgraded, since it must be copied before: ")
    assert said.count("\n") == 1
    assert (files(old), version(old)) == (["history.db"], 1)


def test_a_history_that_is_locked_is_not_upgraded(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("pragma journal_mode = delete")
        other.execute("begin exclusive")
        with pytest.raises(HistoryError, match="database is locked"):
            open_writable(old)
        other.execute("rollback")
    assert (files(old), version(old)) == (["history.db"], 1)


# Killed in the middle

KILLED = """
import json, shutil, sys
from contextlib import closing
from pathlib import Path
from db.connect import open_writable
from tests.db.killing import attempt, broken, result
base, scratch, part, parts = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])

def work(home, hook):
    open_writable(home / "history.db").close()

def fresh(name):
    shutil.rmtree(scratch / name, ignore_errors=True)
    return Path(shutil.copytree(base, scratch / name))

whole = fresh("whole")
total = attempt(work, whole, 0)
expected = result(whole, timeless=False)
wrong, kills, copies = [], 0, 0
for instant in range(part + 1, total + 1, parts):
    home = fresh("killed")
    kills += attempt(work, home, instant) is None
    copy = home / "history.db.schema-1.bak"
    begun = copy.exists()
    attempt(work, home, 0)
    copies += begun
    if result(home, timeless=False) != expected or broken(home):
        wrong.append(f"{instant}: the history")
    shutil.move(copy, home / "history.db")
    for left in home.glob("*-???"):
        left.unlink()
    attempt(work, home, 0)
    if result(home, timeless=False) != expected or broken(home):
        wrong.append(f"{instant}: the copy")
    wrong += [f"{instant}: {one.name} is left" for one in home.glob(".*")]
print(json.dumps({"kills": kills, "instants": total, "copies": copies, "wrong": wrong}))
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL does not lose what fsync would keep, and fsync takes its time."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path / "scratch"
        return
    with TemporaryDirectory(dir=memory, prefix="watch287g-upgrade-") as folder:
        yield Path(folder)


STEP = 8
"""Every eighth instant; with the views, an upgrade has more than a hundred."""


@pytest.mark.parametrize("part", range(2))
def test_killed_at_any_statement_of_an_upgrade_the_next_run_ends_it(old: Path, scratch: Path, part: int) -> None:
    done = json.loads(python(KILLED, old.parent, scratch, part * STEP, 2 * STEP))

    assert done["wrong"] == []
    assert done["kills"] >= done["instants"] // (2 * STEP) >= 5
    assert 0 < done["copies"] < done["kills"]


def python(script: str, *arguments: object) -> str:
    """What a process of its own prints that runs this script."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# The future


def test_a_history_of_the_future_is_refused_and_not_copied(old: Path) -> None:
    open_writable(old).close()
    old.with_name(COPY).unlink()
    shutil.copy(old, old.with_name("before.db"))
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")

    with pytest.raises(
        HistoryError, match=r"was made by a newer watch287g \(schema \d+\); upgrade the program to read it"
    ):
        open_writable(old)
    assert files(old) == ["before.db", "history.db"]
