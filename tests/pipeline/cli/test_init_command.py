"""`watch287g init`: a commented config and a folder for the data, in one folder or in the platform's places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from pipeline.cli import entry
from pipeline.cli.starting import Places, found_config, of_the_site, of_the_user, shipped, with_data_in
from pipeline.config import load

ROOT = Path(__file__).parents[3]
SOMEBODY = 65534 if os.getuid() == 0 else None
"""Another user than root, for whom the places are in the home."""

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


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home of a user who is not root, who has run `init` there."""
    with TemporaryDirectory(prefix="watch287g home ") as name:
        folder = Path(name)
        if SOMEBODY is not None:
            os.chown(folder, SOMEBODY, -1)
        if run(folder, "--version")[0] != 0:
            pytest.skip("the other user may not read this program")
        config, data = folder / ".config/watch287g/config.yaml", folder / ".local/share/watch287g"
        code, out, _ = run(folder, "init")
        assert code == 0
        assert out.startswith(f"written: {config}\ndata:    {data}\n")
        last = ["  watch287g check", "  watch287g alerts test operators", "  watch287g run"]
        assert out.splitlines()[-3:] == last
        yield folder


def run(home: Path, *arguments: str) -> tuple[int, str, str]:
    """The command in that home: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=home,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        user=SOMEBODY,
    )
    return done.returncode, done.stdout, done.stderr


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_config_in_the_package_is_that_of_the_repository() -> None:
    """If not: cp config.yaml pipeline/config.yaml"""
    assert shipped() == (ROOT / "config.yaml").read_text(encoding="utf-8")


# In one folder


def test_everything_is_in_the_folder_that_is_named_and_can_be_moved(watch287g: Command, tmp_path: Path) -> None:
    code, out, err = watch287g("init", "here")

    assert code == 0
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "here",
        "here/config.yaml",
        "here/data",
    ]
    assert (tmp_path / "here/config.yaml").read_text(encoding="utf-8") == shipped()
    assert load(tmp_path / "here/config.yaml") == load(None)
    assert out.startswith("written: here/config.yaml\ndata:    here/data\nconfig:      here/config.yaml\n")
    assert err == "source.contact is not set: ICE's server cannot tell whom to ask about these visits\n"


def test_it_ends_with_the_commands_that_come_next(watch287g: Command) -> None:
    told = watch287g("init", "here")[1].splitlines()

    assert told[-3:] == [
        "  watch287g --config here/config.yaml check",
        "  watch287g --config here/config.yaml alerts test operators",
        "  watch287g --config here/config.yaml run",
    ]
    assert watch287g("init", ".")[1].splitlines()[-3:] == [
        "  watch287g check",
        "  watch287g alerts test operators",
        "  watch287g run",
    ]


def test_nobody_else_may_read_the_data(watch287g: Command, tmp_path: Path) -> None:
    watch287g("init", "here")

    assert mode(tmp_path / "here/config.yaml") == 0o600
    assert mode(tmp_path / "here/data") == 0o700


def test_a_config_that_is_there_stays_as_it_is(watch287g: Command, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("source: {contact: me@example.org}\n")
    code, out, err = watch287g("init", ".")

    assert (code, out) == (2, "")
    assert err == "watch287g: config.yaml is there already, and stays as it is; name another folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert (tmp_path / "config.yaml").read_text() == "source: {contact: me@example.org}\n"


def test_data_that_are_there_are_left_alone(watch287g: Command, tmp_path: Path) -> None:
    (tmp_path / "here/data").mkdir(parents=True)
    (tmp_path / "here/data/history.db").write_bytes(b"kept")

    assert watch287g("init", "here")[0] == 0
    assert (tmp_path / "here/data/history.db").read_bytes() == b"kept"


def test_a_link_that_leads_nowhere_is_not_written_through(watch287g: Command, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    assert watch287g("init", ".")[0] == 2
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_file_in_the_way_is_one_sentence(watch287g: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = watch287g("init", "file/below")

    assert code == 1
    assert err == "watch287g: file/below: Not a directory; name a folder that you may write to\n"


@pytest.mark.parametrize("option", ["--db", "--config"])
def test_options_that_mean_nothing_here_are_refused(watch287g: Command, tmp_path: Path, option: str) -> None:
    (tmp_path / "other.yaml").touch()
    code, _, err = watch287g(option, "other.yaml", "init", "here")

    assert code == 2
    assert "init takes a folder, not --db or --config" in err
    assert not (tmp_path / "here").exists()


# In the platform's places


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_without_a_folder_config_and_data_are_where_the_platform_keeps_them(home: Path) -> None:
    config, data = home / ".config/watch287g/config.yaml", home / ".local/share/watch287g"
    settings = load(config)
    assert settings.storage.database == data / "history.db"
    assert settings.storage.archive == data / "archive"
    assert settings.storage.log == data / "crawl.log"
    assert settings.backups.folder == data / "backups"
    assert (mode(config), mode(data)) == (0o600, 0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_what_was_written_there_is_found_from_any_folder(home: Path) -> None:
    assert f"config:      {home / '.config/watch287g/config.yaml'}\n" in run(home, "config", "check")[1]
    told = f"there is no history at {home / '.local/share/watch287g/history.db'} yet"
    assert told in run(home, "status")[2]
    assert run(home, "init")[0] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_config_of_this_folder_comes_before_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    users = tmp_path / "settings/watch287g/config.yaml"
    users.parent.mkdir(parents=True)
    users.touch()
    assert found_config() == users

    (tmp_path / "config.yaml").touch()
    assert found_config() == Path("config.yaml")


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_places_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ida/.config")
    monkeypatch.setenv("XDG_DATA_HOME", "/home/ida/.local/share")

    assert of_the_user() == Places(Path("/home/ida/.config/watch287g"), Path("/home/ida/.local/share/watch287g"))
    assert of_the_site() == Places(Path("/etc/watch287g"), Path("/var/lib/watch287g"))


@pytest.mark.parametrize("folder", ["/var/lib/watch287g", "/Users/ida/Application Support/w", '/a: b/#c/"d"', "/ä/é"])
def test_any_folder_can_be_that_of_the_data(folder: str) -> None:
    read = yaml.safe_load(with_data_in(shipped(), Path(folder)))

    assert read["storage"] == {
        "database": f"{folder}/history.db",
        "archive": f"{folder}/archive",
        "log": f"{folder}/crawl.log",
    }
    assert read["backups"]["folder"] == f"{folder}/backups"
    kept = yaml.safe_load(shipped())
    assert {key: value for key, value in read.items() if key not in ("storage", "backups")} == {
        key: value for key, value in kept.items() if key not in ("storage", "backups")
    }
