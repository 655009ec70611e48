"""`watch287g export`."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import exporting
from pipeline.publish.exports.tables import TABLES, Format
from tests.db.histories import History
from tests.pipeline.reports import story

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_the_choices_are_all_that_there_are() -> None:
    """They are repeated in the command's module so that its help loads nothing."""
    assert tuple(Format) == exporting.FORMATS
    assert tuple(table.name for table in TABLES) == exporting.TABLES


def test_every_file_is_told_with_its_rows_and_size(database: Path, tmp_path: Path) -> None:
    result = story.run(database, "export", str(tmp_path / "data"))
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert {line.split()[0] for line in lines} == {path.name for path in (tmp_path / "data").iterdir()}
    assert lines[0].split()[:3] == ["agreements.csv", "39", "rows"]
    again = story.run(database, "export", str(tmp_path / "data")).output.splitlines()
    assert all(line.endswith("as before") for line in again)


def test_a_format_a_table_and_a_date_can_be_chosen(database: Path, tmp_path: Path) -> None:
    options = ("--format", "csv", "--only", "agreements", "--only", "events", "--as-of", "2025-03-05")
    assert story.run(database, "export", str(tmp_path), *options).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agreements.csv", "datapackage.json", "events.csv"]
    with (tmp_path / "agreements.csv").open(newline="") as file:
        assert {row["last_published_on"] for row in csv.DictReader(file)} == {"2025-03-05"}


def test_a_date_that_has_no_list_is_refused(database: Path, tmp_path: Path) -> None:
    for day, said in (("2020-01-01", "the history has no list of 2020-01-01 or before"), ("9998-01-01", "future")):
        result = story.run(database, "export", str(tmp_path), "--as-of", day)
        assert result.exit_code == 1
        assert said in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_history_says_what_to_run(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    result = story.run(tmp_path / "history.db", "export", str(tmp_path / "data"))
    assert "run `watch287g check`" in str(result.exception)


def test_without_pyarrow_parquet_is_left_out_or_its_extra_named(database: Path, tmp_path: Path) -> None:
    code = """
import importlib.util, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "pyarrow":
            raise ModuleNotFoundError(name)
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "pyarrow" else found(name, package)
sys.meta_path.insert(0, Absent())
from pipeline.cli.entry import main
sys.exit(main())
"""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "--db", str(database), "export", str(tmp_path / "data"), *options]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert "pip install 'watch287g[parquet]'" in run("--format", "parquet").stderr
    assert run("--only", "applications").returncode == 0
    assert not list((tmp_path / "data").glob("*.parquet"))


def test_what_an_earlier_export_had_and_this_one_has_not_is_named_as_it_goes(database: Path, tmp_path: Path) -> None:
    story.run(database, "export", str(tmp_path / "out"), "--format", "csv", "--only", "events", "--only", "agencies")
    told = story.run(database, "export", str(tmp_path / "out"), "--format", "csv", "--only", "events").output
    assert told.splitlines()[-1] == "removed, since this export does not have them: agencies.csv"
