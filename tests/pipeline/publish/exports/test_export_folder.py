"""The folder: the same bytes every time, only what differs is written, nothing is ever half there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path

import frictionless
import pytest

from db.connect import open_readonly
from pipeline.publish.exports import ExportError, write_all
from pipeline.publish.exports.folder import replace_files
from pipeline.publish.exports.tables import TABLES
from tests.db.histories import History
from tests.pipeline.publish.exports import exported

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported.write_history(tmp_path_factory.mktemp("history"))


@pytest.mark.parametrize("on", [None, date(2025, 3, 5)])
def test_the_same_history_gives_the_same_bytes(database: Path, tmp_path: Path, on: date | None) -> None:
    first = exported.export(database, tmp_path / "a", as_of=on)
    assert exported.export(database, tmp_path / "elsewhere" / "b", as_of=on) == first
    assert not any(str(tmp_path).encode() in data for data in first.values())


def test_a_rebuilt_history_gives_the_same_bytes(tmp_path: Path) -> None:
    """Internal ids and the order of rows on the disk are others then."""
    database = exported.story.write(tmp_path / "history")
    first = exported.export(database, tmp_path / "a")
    with History(tmp_path / "history") as history:
        history.rebuild()
        history.connection.execute("vacuum")
    assert exported.export(database, tmp_path / "b") == first


def test_files_that_are_the_same_are_not_written(database: Path, tmp_path: Path) -> None:
    exported.export(database, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    with closing(open_readonly(database)) as connection:
        files = write_all(connection, tmp_path)
        assert not any(file.changed for file in files)
        assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
        changed = {file.name for file in write_all(connection, tmp_path, as_of=date(2025, 3, 5)) if file.changed}
    assert {"agreements.csv", "datapackage.json"} <= changed


def test_what_is_given_back_is_what_is_there(database: Path, tmp_path: Path) -> None:
    with closing(open_readonly(database)) as connection:
        files = write_all(connection, tmp_path)
    assert {file.name for file in files} == {path.name for path in tmp_path.iterdir()}
    for file in files:
        data = (tmp_path / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), sha256(data).hexdigest())
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert next(file.rows for file in files if file.name == "events.csv") == len(lines)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"as_of": date(2025, 3, 5)},
        {"formats": ["csv"], "tables": ["agreements", "events"]},
        {"formats": ["jsonl", "xlsx", "geojson"]},
    ],
    ids=["whole", "as of", "part", "without csv"],
)
def test_the_datapackage_is_valid_row_by_row(database: Path, tmp_path: Path, options: dict[str, object]) -> None:
    exported.export(database, tmp_path, **options)
    report = frictionless.validate(tmp_path / "datapackage.json")
    assert report.flatten(["name", "rowNumber", "fieldNumber", "type", "message"]) == []
    assert report.valid
    assert report.warnings == []


def test_frictionless_notices_what_is_wrong(database: Path, tmp_path: Path) -> None:
    """A validation that looks at nothing passes for ever: types, keys and hashes are really looked at."""
    exported.export(database, tmp_path, formats=["csv"])
    path = tmp_path / "events.csv"
    first = path.read_text().splitlines()[1]
    path.write_text(path.read_text().replace(first.split(",")[6], "a-nobody").replace("2025-03-03,", "yesterday,"))
    found = {row[0] for row in frictionless.validate(tmp_path / "datapackage.json").flatten(["type"])}
    assert found >= {"hash-count", "type-error", "foreign-key"}


def test_the_datapackage_says_what_where_from_and_when(database: Path, tmp_path: Path) -> None:
    exported.export(database, tmp_path, as_of=date(2025, 3, 6))
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert (package["created"], package["asOf"]) == ("2025-03-05T14:00:00Z", "2025-03-06")
    assert package["lists"]["participating"]["published_on"] == "2025-03-05"
    assert package["licenses"][0]["name"] == "CC0-1.0"
    events = next(one for one in package["resources"] if one["name"] == "events")
    assert events["formulaGuard"]["prefix"] == "'"
    kind = next(one for one in events["schema"]["fields"] if one["name"] == "kind")
    assert kind["description"] == "What happened."


def test_every_column_of_every_file_is_described(tmp_path: Path) -> None:
    exported.export(exported.story.write(tmp_path / "history"), tmp_path / "export")
    package = json.loads((tmp_path / "export" / "datapackage.json").read_text())
    schemas = [one["schema"] for one in package["resources"] if "schema" in one]
    assert len(schemas) == 3 * len(TABLES)
    assert [one["name"] for schema in schemas for one in schema["fields"] if not one.get("description")] == []


def test_other_files_stay_and_those_of_an_earlier_export_go(database: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    (tmp_path / "history.xlsx").write_text("mine too")
    exported.export(database, tmp_path, formats=["csv", "geojson"])
    files = exported.export(database, tmp_path, formats=["jsonl"], tables=["events"])
    assert sorted(files) == ["datapackage.json", "events.jsonl", "history.xlsx", "index.html"]


def test_a_datapackage_of_somebody_else_is_not_replaced_and_one_of_ours_removes_only_ours(
    database: Path, tmp_path: Path
) -> None:
    (tmp_path / "agencies.csv").write_text("mine")
    for text in ("[]", "{", json.dumps({"name": "theirs", "resources": [{"path": "agencies.csv"}]})):
        (tmp_path / "datapackage.json").write_text(text)
        with pytest.raises(ExportError, match=r"datapackage\.json is not of an earlier export; move it away"):
            exported.export(database, tmp_path, formats=["csv"], tables=["events"])
        assert (tmp_path / "datapackage.json").read_text() == text
    ours = {"name": "watch287g", "resources": [{"path": "../outside.csv"}, {"path": "agencies.parquet"}]}
    (tmp_path / "datapackage.json").write_text(json.dumps(ours))
    exported.export(database, tmp_path, formats=["csv"], tables=["events"])
    assert (tmp_path / "agencies.csv").read_text() == "mine"


def test_a_file_of_somebody_else_is_not_overwritten(database: Path, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("mine")
    (tmp_path / ".export-settings").write_text("mine")
    (tmp_path / ".watch287g-export-folder").mkdir()
    with pytest.raises(ExportError, match=r"events\.csv is not of an earlier export"):
        exported.export(database, tmp_path)
    (tmp_path / "events.csv").unlink()
    with closing(open_readonly(database)) as connection:
        write_all(connection, tmp_path, formats=["csv"])
    assert (tmp_path / ".export-settings").read_text() == "mine"


def test_a_first_export_that_was_killed_is_completed_by_the_next(database: Path, tmp_path: Path) -> None:
    """Whatever files took their place, the datapackage, which makes the folder ours, was among them."""
    order: list[str] = []
    replace = Path.replace

    def noted(path: Path, to: Path) -> Path:
        order.append(to.name)
        return replace(path, to)

    with closing(open_readonly(database)) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", noted)
        write_all(connection, tmp_path / "first", formats=["csv"])
        write_all(connection, tmp_path / "first", formats=["csv"], tables=["events"], as_of=date(2025, 3, 5))
    assert (order[0], order[-1]) == ("datapackage.json", "datapackage.json")
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "datapackage.json").write_bytes((tmp_path / "first" / "datapackage.json").read_bytes())
    (tmp_path / "killed" / "events.csv").write_text("of another history")
    assert "agencies.csv" in exported.export(database, tmp_path / "killed", formats=["csv"])


def test_geojson_of_a_table_without_places_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="GeoJSON has the agreements"):
        exported.export(database, tmp_path / "export", formats=["geojson"], tables=["events"])
    assert not (tmp_path / "export").exists()


def test_a_disk_without_room_for_the_workbook_is_an_error_like_any_other(database: Path, tmp_path: Path) -> None:
    """openpyxl writes its sheets to files of its own, and lxml has its own word for a full disk."""
    code = """
import resource, sys
from contextlib import closing
from pathlib import Path
from db.connect import open_readonly
from pipeline.publish.exports import write_all
with closing(open_readonly(Path(sys.argv[1]))) as connection:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    try:
        write_all(connection, Path(sys.argv[2]), formats=["xlsx"])
    except OSError as error:
        print("told:", error)
"""
    command = [sys.executable, "-c", code, database, tmp_path / "export"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("told: "), done.stderr
    assert done.stderr == ""
    assert not (tmp_path / "export").exists() or list((tmp_path / "export").iterdir()) == []


def test_a_history_without_lists_is_refused(tmp_path: Path) -> None:
    with (
        History(tmp_path),
        closing(open_readonly(tmp_path / "history.db")) as connection,
        pytest.raises(ExportError, match="has no list yet; run `watch287g check`"),
    ):
        write_all(connection, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """The limit on the size of a file stands for the disk: the second of the files does not fit."""
    replace_files(tmp_path, {"a": b"old", "b": b"old"}, ())
    code = """
import resource, sys
from pathlib import Path
from pipeline.publish.exports.folder import replace_files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
replace_files(Path(sys.argv[1]), {"a": b"new", "b": b"new" * 1000}, ("a",))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=REPOSITORY, capture_output=True, check=False)
    assert b"File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_whoever_is_killed_leaves_old_files_and_new_ones(tmp_path: Path) -> None:
    """Killed at each step in turn, until one run gets through; the last of the files is the last that is replaced."""
    old = {name: b"old " + name.encode() for name in ("a", "b", "datapackage.json")}
    new = dict.fromkeys(old, b"new " * 10000)
    code = """
import os, signal, sys
from pathlib import Path
from pipeline.publish.exports.folder import replace_files
left = [int(sys.argv[2])]
def step(event, arguments):
    if event in ("tempfile.mkstemp", "os.chmod", "os.rename", "os.remove"):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
replace_files(Path(sys.argv[1]), {name: b"new " * 10_000 for name in ("a", "b", "datapackage.json")}, ("outdated",))
"""
    ends = set()
    for instant in range(1, 40):
        folder = tmp_path / str(instant)
        replace_files(folder, old, ())
        (folder / "outdated").touch()
        done = subprocess.run([sys.executable, "-c", code, folder, str(instant)], cwd=REPOSITORY, check=False)
        found = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
        assert all(found[name] in (old[name], new[name]) for name in old)
        if found["datapackage.json"] != old["datapackage.json"]:
            assert new.items() <= found.items()
        ends.add(done.returncode)
        replace_files(folder, new, ())
        assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
        if done.returncode == 0:
            break
    assert ends == {-signal.SIGKILL, 0}
