"""`backfill` and `rebuild` in words; what is refused before a file is made; what cannot be written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import pipeline
from pipeline.cli import entry
from pipeline.derive import Historian
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff, write_folder

ROOT = Path(__file__).parents[3]
FORTY = rows(*COUNTIES[:40])
POSTED = [
    Posted("participating", 0, FORTY),
    Posted("participating", 1, FORTY[:5]),
    Posted("participating", 2, [*FORTY, sheriff("Polk")]),
]
Command = Callable[..., tuple[int, str, str]]


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "kept", POSTED)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What is said


def test_a_backfill_says_in_words_what_became_of_the_lists(watch287g: Command, folder: Path) -> None:
    told = watch287g("--db", "history.db", "backfill", "kept")

    assert told == (0, "3 files (3 new sightings): 2 lists accepted, 1 rejected; 1 event\n", "")
    again = watch287g("--db", "history.db", "backfill", "kept")
    assert again == (0, "3 files (0 new sightings): no new list\n", "")
    assert watch287g("--db", "history.db", "rebuild") == (0, "made anew: 2 lists accepted, 1 rejected; 1 event\n", "")


def test_one_of_each_is_told_as_one(watch287g: Command, tmp_path: Path) -> None:
    write_folder(tmp_path / "one", POSTED[:1])

    assert watch287g("--db", "history.db", "backfill", "one")[1] == (
        "1 file (1 new sighting): 1 list accepted; 0 events\n"
    )


def test_older_lists_are_said_to_have_made_the_history_anew(watch287g: Command, tmp_path: Path) -> None:
    write_folder(tmp_path / "new", POSTED[2:])
    write_folder(tmp_path / "old", POSTED[:1])
    watch287g("--db", "history.db", "backfill", "new")

    told = watch287g("--db", "history.db", "backfill", "old")[1]
    assert told == "1 file (1 new sighting): 1 list accepted; 0 events; the history was made anew\n"


def test_an_interrupted_backfill_says_what_waits_until_it_is_run_again(
    watch287g: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Historian) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Historian, "derive", interrupted)
        code, _, err = watch287g("--db", "history.db", "backfill", "kept")
    assert code == 130
    assert err == "watch287g: interrupted; 3 workbooks wait to be taken in; run the command again\n"
    assert (
        "waiting        3 workbooks wait to be taken in; the next check" in watch287g("--db", "history.db", "status")[1]
    )

    code, out, err = watch287g("--db", "history.db", "backfill", "kept")
    assert err == "3 workbooks wait to be taken in since a run was interrupted; that is done now too\n"
    assert out == "3 files (0 new sightings): 2 lists accepted, 1 rejected; 1 event\n"
    assert "waiting" not in watch287g("--db", "history.db", "status")[1]


def test_config_check_says_what_the_server_will_see(watch287g: Command) -> None:
    code, out, _ = watch287g("config", "check")

    assert code == 0
    assert f"watch287g/{pipeline.__version__} (tracks ICE's" in out


@pytest.mark.parametrize("command", ["backfill", "rebuild"])
def test_no_help_speaks_of_alerts_that_do_not_exist(watch287g: Command, command: str) -> None:
    assert "alert" not in watch287g(command, "--help")[1]


def test_the_help_says_where_the_files_of_another_database_are(watch287g: Command) -> None:
    assert "its archive and crawl.log are then in the same folder" in " ".join(watch287g("--help")[1].split())


# What is refused, and leaves nothing behind

WRITING = [
    ("rebuild",),
    ("held", "list"),
    ("held", "release", "--why", "x"),
    ("held", "release", "--dry-run"),
    ("held", "reject", "--why", "x"),
    ("held", "undo", "abcdef"),
    ("review",),
    ("status",),
    ("archive", "verify"),
]


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_a_history_that_does_not_exist_is_not_made_by_asking(
    watch287g: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, out, err = watch287g("--db", "none.db", *command)

    assert (code, out) == (1, "")
    assert err.startswith(f"watch287g: there is no history at {tmp_path / 'none.db'} yet; run `watch287g check`")
    assert files(tmp_path) == []


@pytest.mark.parametrize("command", [("check",), ("rebuild",), ("backfill", ".")], ids=" ".join)
def test_a_file_that_is_no_database_is_refused_before_it_is_locked(
    watch287g: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "README.md").write_text("# A text, and longer than sixteen characters\n")

    code, _, err = watch287g("--db", "README.md", *command)
    assert code == 1
    assert "README.md: file is not a database; name another file with --db" in err
    assert files(tmp_path) == ["README.md"]


@pytest.mark.parametrize("command", [("check",), ("status",), ("rebuild",), ("report",)], ids=" ".join)
def test_another_programs_database_is_refused_and_left_as_it_was(
    watch287g: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("create table song (title)")
    other.execute("pragma user_version = 1")
    other.close()
    before = (tmp_path / "other.db").read_bytes()

    code, _, err = watch287g("--db", "other.db", *command)
    assert code == 1
    assert err.endswith("other.db is another program's database; name another file with --db\n")
    assert (tmp_path / "other.db").read_bytes() == before
    assert files(tmp_path) == ["other.db"]


@pytest.mark.parametrize("command", [("check",), ("backfill", "kept")], ids=" ".join)
def test_a_misspelt_folder_is_not_made(
    watch287g: Command, folder: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, _, err = watch287g("--db", "srv/watch/history.db", *command)

    assert code == 2
    assert err == f"watch287g: there is no folder {tmp_path / 'srv'}; is srv/watch/history.db misspelt?\n"
    assert files(tmp_path) == ["kept"]
    assert watch287g("--db", "srv/history.db", "backfill", "kept")[0] == 0


# What cannot be written

SOMEBODY = 65534 if os.getuid() == 0 else None
"""Another user, where we may become one; else we take the right to write from ourselves."""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder with a history that `SOMEBODY` may read and not write."""
    with TemporaryDirectory(prefix="watch287g-shared-") as name:
        folder = Path(name)
        with History(folder) as history:
            history.post(*POSTED)
        for path in folder.iterdir():
            if path.is_file():
                path.chmod(0o444)
        folder.chmod(0o555)
        if run(folder, "--version", user=SOMEBODY)[0] != 0:
            pytest.skip("the other user may not read this program")
        yield folder
        folder.chmod(0o755)


def run(folder: Path, *arguments: str, user: int | None = None, to: str | None = None) -> tuple[int, str]:
    """The command in a process of its own, as another user perhaps: exit code and standard error."""
    code = "import sys; from pipeline.cli.entry import main; sys.exit(main())"
    with open(to or os.devnull, "w") as output:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            user=user,
        )
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [("report",), ("status", "--json"), ("--help",), ("report", "--format", "csv")])
def test_a_full_disk_for_the_output_is_one_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    with History(tmp_path) as history:
        history.post(*POSTED)

    code, err = run(tmp_path, "--db", "history.db", *command, to="/dev/full")
    assert code == 1
    assert err == "watch287g: No space left on device; nothing half-done was kept\n"


def test_a_mistake_without_any_output_to_tell_it_on_is_still_an_exit_code(tmp_path: Path) -> None:
    """A service may be started with its outputs closed."""
    code = "from pipeline.cli.entry import main; main()"
    command = f"exec {sys.executable} -c '{code}' status >&- 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, check=False).returncode == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(shared: Path) -> None:
    code, err = run(shared, "--db", "history.db", "rebuild", user=SOMEBODY)

    assert code == 1
    assert "history.db.lock cannot be written (Permission denied); run as the user whose history it is" in err
    assert err.count("\n") == 1


def test_whoever_may_only_read_the_folder_can_read_the_history(shared: Path) -> None:
    assert run(shared, "--db", "history.db", "report", user=SOMEBODY) == (0, "")
    assert run(shared, "--db", "history.db", "list", user=SOMEBODY) == (0, "")
