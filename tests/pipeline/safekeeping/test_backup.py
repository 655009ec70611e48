"""Backups of a history: whole or not at all, thinned out with care, and put in place again."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock

from db import connect, outbox, read, write
from db.connect import close_writable, open_readonly, open_writable, transaction
from pipeline.cli import entry
from pipeline.safekeeping.backup import (
    RESTORED,
    BackupError,
    backup,
    backups,
    is_whole,
    made_at,
    newest_whole,
    restore,
)
from tests.db.histories import COUNTIES, History, Posted, rows, snapshot
from tests.pipeline.notify.watching import Recorder, Watched, settings

ROOT = Path(__file__).parents[3]
NOW = datetime(2025, 12, 31, 3, 11, tzinfo=UTC)
POSTED = [Posted("participating", 0, rows(*COUNTIES[:9])), Posted("participating", 1, rows(*COUNTIES[1:10]))]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with History(tmp_path) as history:
        history.post(*POSTED)
        close_writable(history.connection)
    return tmp_path / "history.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


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


def names(folder: Path) -> list[str]:
    """What is in a folder, but for the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock") if folder.exists() else []


def seen(database: Path) -> dict[str, object]:
    with closing(open_readonly(database)) as connection:
        return dict(snapshot(connection))


def hashes(database: Path) -> list[str]:
    with closing(open_readonly(database)) as connection:
        return read.workbooks(connection)


def spoil(database: Path) -> None:
    """Zeroes in the middle, as a bad disk leaves them."""
    data = bytearray(database.read_bytes())
    data[8192 : len(data) // 2] = bytes(len(data) // 2 - 8192)
    database.write_bytes(data)


# Making


def test_a_backup_is_one_whole_file_with_all_that_the_history_has(database: Path, folder: Path) -> None:
    made = backup(database, folder, 14, NOW)

    assert made.path == folder / "history-20251231T031100Z.db"
    assert names(folder) == ["history-20251231T031100Z.db"]
    assert (made.size, made.removed) == (made.path.stat().st_size, ())
    assert seen(made.path) == seen(database)
    assert names(folder) == ["history-20251231T031100Z.db"]  # reading it puts nothing beside it
    assert is_whole(made.path)


def test_a_backup_has_what_is_committed_and_does_not_wait_for_what_is_not(database: Path, folder: Path) -> None:
    writer = open_writable(database)
    with transaction(writer):
        write.add_workbook(writer, "ab" * 32, 5, NOW)
    with transaction(writer):
        write.add_workbook(writer, "cd" * 32, 5, NOW)
        made = backup(database, folder, 14, NOW)
    writer.close()

    assert "ab" * 32 in hashes(made.path)
    assert "cd" * 32 not in hashes(made.path)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from db import write
from db.connect import open_writable, transaction
connection = open_writable(Path(sys.argv[1]))
for number in range(100_000):
    with transaction(connection):
        write.add_workbook(connection, f"{number:064}", 5, datetime.now(UTC))
    print(number, flush=True)
"""


def test_a_backup_is_of_one_moment_while_another_process_commits_without_pause(database: Path, folder: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(database)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        try:
            writer.stdout.readline()
            made = [backup(database, folder, 14, NOW + timedelta(seconds=second)).path for second in range(5)]
        finally:
            writer.kill()

    assert all(is_whole(one) for one in made)
    found = [[int(sha256) for sha256 in hashes(one) if sha256.startswith("0" * 50)] for one in made]
    assert all(sorted(numbers) == list(range(len(numbers))) for numbers in found)
    assert len(found[0]) >= 1


def test_a_history_of_an_older_schema_can_be_backed_up(database: Path, folder: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma user_version = 1")

    assert is_whole(backup(database, folder, 14, NOW).path)


def test_a_backup_is_for_those_who_may_read_the_history(database: Path, folder: Path) -> None:
    database.chmod(0o640)
    made = backup(database, folder, 14, NOW)

    assert made.path.stat().st_mode & 0o777 == 0o640
    assert folder.stat().st_mode & 0o777 == 0o700


# Thinning out


def test_old_backups_are_removed_and_nothing_else(database: Path, folder: Path) -> None:
    folder.mkdir()
    kept = [
        "history-20251217T031101Z.db",
        "history-20251230T031100Z.db",
        "history.db",
        "history-20200101T031100Z.db.old",
        "my-history-20200101T031100Z.db",
        "history-20209901T031100Z.db",
        "history-before-the-move.db",
    ]
    for name in [*kept, "history-20251217T031059Z.db", "history-20200101T000000Z.db"]:
        (folder / name).touch()
    (folder / "history-20190101T000000Z.db").mkdir()
    (folder / "history-20180101T000000Z.db").symlink_to(database)
    made = backup(database, folder, 14, NOW)

    others = ["history-20190101T000000Z.db", "history-20180101T000000Z.db", made.path.name]
    assert names(folder) == sorted([*kept, *others])
    assert [one.name for one in made.removed] == ["history-20251217T031059Z.db", "history-20200101T000000Z.db"]


def test_a_backup_that_fails_removes_no_older_one(database: Path, folder: Path) -> None:
    old = backup(database, folder, 14, NOW - timedelta(days=400)).path
    spoil(database)

    with pytest.raises(BackupError, match=r"no backup was made: .*history.db.* malformed|damaged"):
        backup(database, folder, 14, NOW)
    assert names(folder) == [old.name]
    assert newest_whole(folder, NOW) == old


def test_a_clock_that_was_ahead_does_not_make_its_backup_the_newest_for_ever(database: Path, folder: Path) -> None:
    ahead = backup(database, folder, 14, NOW + timedelta(days=4000)).path
    first, second = (backup(database, folder, 14, NOW + timedelta(days=day)).path for day in (0, 1))

    assert backups(folder, NOW + timedelta(days=1)) == [second, first, ahead]


def test_the_newest_whole_backup_is_found_beneath_damaged_ones(database: Path, folder: Path) -> None:
    made = [backup(database, folder, 14, NOW + timedelta(days=day)).path for day in range(3)]
    spoil(made[2])
    made[1].write_bytes(b"")

    assert newest_whole(folder, NOW + timedelta(days=3)) == made[0]
    assert newest_whole(folder / "none", NOW) is None


def test_when_a_backup_was_made_stands_in_its_name(folder: Path) -> None:
    assert made_at(folder / "history-20251231T031100Z.db") == NOW


# What fails leaves nothing half-written


def test_a_backup_beside_another_says_so(database: Path, folder: Path) -> None:
    folder.mkdir()
    with FileLock(folder / ".lock"), pytest.raises(BackupError, match=r"another backup into .* is under way"):
        backup(database, folder, 14, NOW)
    assert names(folder) == []


def test_a_database_that_is_locked_is_one_sentence(
    database: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("pragma journal_mode = delete")
        other.execute("begin exclusive")
        with pytest.raises(BackupError, match=r"history\.db cannot be copied to .*: database is locked$"):
            backup(database, folder, 14, NOW)

    assert names(folder) == []


@pytest.mark.parametrize("text", ["", "a text, and longer than sixteen characters"])
def test_what_is_no_history_is_not_backed_up(tmp_path: Path, folder: Path, text: str) -> None:
    (tmp_path / "history.db").write_text(text)

    with pytest.raises(BackupError, match=r"is empty; there is nothing to copy|file is not a database"):
        backup(tmp_path / "history.db", folder, 14, NOW)
    assert names(folder) == []


def test_a_file_where_the_folder_should_be_is_one_sentence(database: Path, folder: Path) -> None:
    folder.touch()

    with pytest.raises(BackupError, match=r"no backup was made: .*backups: File exists$"):
        backup(database, folder, 14, NOW)


LIMITED = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.safekeeping.backup import BackupError, backup
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    backup(Path(sys.argv[1]), Path(sys.argv[2]), 14, datetime.now(UTC))
except BackupError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [0, 5000, 60_000])
def test_a_file_that_cannot_grow_is_one_sentence(database: Path, folder: Path, size: int) -> None:
    done = python(LIMITED, database, folder, size)

    assert done.startswith(f"no backup was made: {database} cannot be copied to {folder}: ")
    assert done.count("\n") == 1
    assert names(folder) == []
    assert is_whole(database)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 100 kB."""
    with TemporaryDirectory(prefix="watch287g-small-") as name:
        mount = shutil.which("mount")
        command = [mount or "", "-t", "tmpfs", "-o", "size=100k", "none", name]
        if mount is None or os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("may not mount a small file system")
        yield Path(name)
        subprocess.run(["umount", name], check=True)


def test_a_full_disk_is_one_sentence(database: Path, small_disk: Path) -> None:
    folder = small_disk / "backups"

    with pytest.raises(BackupError, match=r"there is no room for a copy of .*history\.db in .*; free some$"):
        backup(database, folder, 14, NOW)
    assert names(folder) == []


READ_ONLY = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.safekeeping.backup import BackupError, backup
os.setuid(os.getuid() or 65534)
try:
    backup(Path(sys.argv[1]), Path(sys.argv[2]), 14, datetime.now(UTC))
except BackupError as error:
    print(error)
"""


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    with TemporaryDirectory(prefix="watch287g-guarded-") as name:
        home = Path(name)
        with History(home) as history:
            history.post(POSTED[0])
        (home / "backups").mkdir(mode=0o555)
        home.chmod(0o555)
        said = python(READ_ONLY, home / "history.db", home / "backups")
        assert said == f"no backup was made: {home / 'backups' / '.lock'}: Permission denied\n"
        home.chmod(0o755)


def python(script: str, *arguments: object) -> str:
    """What a process of its own prints that runs this script."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


KILLED = """
import json, shutil, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.safekeeping.backup import backup, backups, is_whole, restore
from tests.db.killing import at, attempt
mode, base, scratch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
now = datetime(2025, 12, 31, tzinfo=UTC)

def work(home, hook):
    if mode == "backup":
        backup(home / "history.db", home / "backups", 14, now)
    else:
        restore(home / "history.db", home / "copy.db", now)

def fresh(name):
    shutil.rmtree(scratch / name, ignore_errors=True)
    return Path(shutil.copytree(base, scratch / name))

total = attempt(work, fresh("whole"), 0)
wrong, kills = [], 0
for share in range(0, 1001, 50):
    home = fresh("killed")
    kills += attempt(work, home, at(share, total)) is None
    wrong += [f"{share}: {one.name}" for one in backups(home / "backups", now) if not is_whole(one)]
    wrong += [] if is_whole(home / "history.db") else [f"{share}: history"]
    work(home, None)
    left = [one.name for one in [*home.glob(".*"), *(home / "backups").glob(".*")] if one.name != ".lock"]
    left += [one.name for one in home.glob("*") if "restoring" in one.name]
    wrong += [f"{share}: {name} is left" for name in left]
    wrong += [] if is_whole(home / "history.db") else [f"{share}: history afterwards"]
print(json.dumps({"kills": kills, "wrong": wrong}))
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL does not lose what fsync would keep, and fsync takes its time."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path / "scratch"
        return
    with TemporaryDirectory(dir=memory, prefix="watch287g-backups-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", ["backup", "restore"])
def test_killed_at_any_instant_there_is_a_whole_file_or_none(
    database: Path, tmp_path: Path, scratch: Path, mode: str
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    shutil.copy(database, base / "history.db")
    copy = backup(database, tmp_path / "made", 14, NOW).path
    shutil.copy(copy, base / "copy.db")
    done = json.loads(python(KILLED, mode, base, scratch))

    assert done["wrong"] == []
    assert done["kills"] >= 20


# Putting in place


def waiting(database: Path) -> None:
    """A message that is due, and a notice that waits for its digest."""
    with closing(open_writable(database)) as connection, transaction(connection):
        saying = outbox.say(connection, "e-1", outbox.TOLD, "{}", NOW)
        outbox.note(connection, saying, ["texas/email", "board/email"], NOW)
        first = outbox.open_notices(connection)[0]
        outbox.add_message(connection, outbox.Draft("m-1", first.target, "alert", (first.id,)), NOW)


def outgoing(database: Path) -> list[tuple[str, str]]:
    """The state and the answer of each message, and what became of the notices that are in none."""
    with closing(open_readonly(database)) as connection:
        found = [(one.state.value, one.answer) for one in outbox.log(connection)]
        alone = connection.execute("select dropped from notice where message_id is null").fetchall()
    return found + [("notice", row[0] or "") for row in alone]


def test_a_restored_history_is_that_of_the_backup_and_the_other_is_kept(database: Path, folder: Path) -> None:
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    with closing(open_writable(database)) as connection, transaction(connection):
        write.add_workbook(connection, "ab" * 32, 5, NOW)
    restored = restore(database, made, NOW)

    assert seen(database) == before
    assert "ab" * 32 not in hashes(database)
    assert restored.aside == database.with_name("history.db.before-20251231T031100Z")
    assert "ab" * 32 in hashes(restored.aside)
    assert made.exists()


def test_what_only_the_wal_file_of_the_other_history_knows_is_kept_with_it_and_spoils_nothing(
    database: Path, folder: Path
) -> None:
    """A run that was killed, or one that still has it open."""
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    writer = open_writable(database)
    reader = open_readonly(database)
    assert hashes(database)
    reader.execute("begin")
    reader.execute("select count(*) from workbook").fetchone()
    with transaction(writer):
        write.add_workbook(writer, "ab" * 32, 5, NOW)
    restored = restore(database, made, NOW)

    assert seen(database) == before
    assert restored.aside is not None
    assert "ab" * 32 in hashes(restored.aside)
    reader.close()
    writer.close()


def test_a_history_that_was_lost_is_put_in_place(database: Path, folder: Path) -> None:
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    database.unlink()

    assert restore(database, made, NOW).aside is None
    assert seen(database) == before


def test_a_damaged_history_gives_way_and_is_kept(database: Path, folder: Path) -> None:
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    spoil(database)
    damaged = database.read_bytes()
    restored = restore(database, made, NOW)

    assert seen(database) == before
    assert restored.aside is not None
    assert restored.aside.read_bytes() == damaged


def test_a_damaged_backup_is_not_put_in_place(database: Path, folder: Path) -> None:
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    spoil(made)

    with pytest.raises(BackupError, match=r"was not put in place: .*(malformed|damaged)"):
        restore(database, made, NOW)
    assert seen(database) == before
    assert not list(database.parent.glob("*restoring*"))


def test_what_was_to_be_sent_when_the_backup_was_made_is_dropped(database: Path, folder: Path) -> None:
    """It has probably been sent since."""
    waiting(database)
    made = backup(database, folder, 14, NOW).path

    assert restore(database, made, NOW).dropped == 2
    assert outgoing(database) == [("dropped", RESTORED), ("notice", RESTORED)]


def test_what_was_to_be_sent_is_sent_if_the_operator_says_so(database: Path, folder: Path) -> None:
    waiting(database)
    made = backup(database, folder, 14, NOW).path

    assert restore(database, made, NOW, send=True).dropped == 0
    assert outgoing(database) == [("due", ""), ("notice", "")]


def test_what_was_sent_before_the_backup_stays_sent(database: Path, folder: Path) -> None:
    waiting(database)
    with closing(open_writable(database)) as connection, transaction(connection):
        outbox.finish(connection, 1, outbox.State.SENT, "250 taken", NOW)
    made = backup(database, folder, 14, NOW).path

    assert restore(database, made, NOW).dropped == 1
    assert outgoing(database) == [("sent", "250 taken"), ("notice", RESTORED)]


TEXAS = settings({"name": "texas"})


def test_after_a_restore_nothing_is_sent_again_but_what_was_found_since_and_that_under_its_id(
    tmp_path: Path, folder: Path
) -> None:
    later = Posted("participating", 2, rows(*COUNTIES[1:12]))
    with Watched(tmp_path, TEXAS) as watched:
        watched.see(*POSTED)
        watched.compose()
        made = backup(tmp_path / "history.db", folder, 14, NOW).path  # with a message that is due
        before = Recorder()
        watched.deliver({"texas/folder": before})
        watched.see(later)
        watched.deliver({"texas/folder": before})
    assert len(before.tried) == 2

    restore(tmp_path / "history.db", made, NOW)
    with Watched(tmp_path, TEXAS) as watched:
        after = Recorder()
        watched.deliver({"texas/folder": after})
        assert after.tried == []
        watched.see(later)
        watched.deliver({"texas/folder": after})
        assert after.tried == before.tried[1:]


# The commands


def test_the_commands_make_a_backup_and_put_it_in_place(watch287g: Command, database: Path, folder: Path) -> None:
    code, out, err = watch287g("--db", "history.db", "backup")
    (made,) = backups(folder, datetime.now(UTC))
    assert (code, out, err) == (0, f"{made}: {made.stat().st_size / 1e6:,.1f} MB\n", "")

    before = seen(database)
    database.unlink()
    code, out, err = watch287g("--db", "history.db", "restore", str(made))
    assert (code, err) == (0, "")
    assert out.startswith(f"{made} is the history now: {database}\n")
    assert "participatingAgencies03042025am.xlsx of 2025-03-04, 9 rows" in watch287g("--db", "history.db", "status")[1]
    assert watch287g("--db", "history.db", "rebuild")[::2] == (0, "")
    assert seen(database) == before


def test_by_hand_a_backup_is_put_in_place_by_copying_it(watch287g: Command, database: Path, folder: Path) -> None:
    made, before = backup(database, folder, 14, NOW).path, seen(database)
    for path in database.parent.glob("history.db*"):
        path.unlink()
    shutil.copy(made, database)

    assert "participatingAgencies03042025am.xlsx of 2025-03-04, 9 rows" in watch287g("--db", "history.db", "status")[1]
    assert watch287g("--db", "history.db", "rebuild")[::2] == (0, "")
    assert seen(database) == before


def test_where_backups_go_is_said_by_the_config(watch287g: Command, database: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("storage: {database: history.db}\nbackups: {folder: kept, keep_days: 1}\n")

    assert watch287g("backup")[0] == 0
    assert len(names(tmp_path / "kept")) == 1
    assert watch287g("backup", "--folder", "elsewhere")[0] == 0
    assert len(names(tmp_path / "elsewhere")) == 1
    (tmp_path / "config.yaml").write_text("storage: {database: history.db}\nbackups: {folder: null}\n")
    told = "watch287g: there is no folder for backups: set `backups.folder` in config.yaml, or give --folder\n"
    assert watch287g("backup") == (2, "", told)


def test_a_history_that_does_not_exist_is_not_backed_up(watch287g: Command, tmp_path: Path) -> None:
    code, out, err = watch287g("--db", "none.db", "backup")

    assert (code, out) == (1, "")
    assert err == f"watch287g: no backup was made: there is no history at {tmp_path / 'none.db'} yet\n"
    assert names(tmp_path) == []


def test_a_restore_beside_a_writer_waits_and_then_names_it(
    watch287g: Command, database: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(database, folder, 14, NOW).path
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from pipeline.lock import only_sender
        with only_sender(Path(sys.argv[1])):
            print("held", flush=True)
            sys.stdin.read()
    """)
    command = [sys.executable, "-c", script, str(database)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout is not None
        sender.stdout.readline()
        monkeypatch.setattr("pipeline.cli.safekeeping.WAIT_SECONDS", 0.0)
        code, _, err = watch287g("--db", "history.db", "restore", str(made))
        assert code == 1
        assert f"another watch287g (process {sender.pid}) is sending the alerts of" in err
        sender.kill()
