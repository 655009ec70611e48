"""`watch287g report`."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.context import Code
from tests.db.histories import History
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_everything_that_happened_is_told(database: Path) -> None:
    told = story.run(database, "report").output
    for words in (
        "10 events: 4 terminated, 2 new, 1 reinstated, 3 changed",
        "NEW         Polk County Sheriff's Office (FL), Task Force Model, signed 2025-03-04; pending since 2025-03-03",
        "date corrected: 2025-02-26 -> 2025-02-25",
        "MOA posted",
        "spelling corrected: Clay County Sheriff's Office -> Clay Conty Sheriffs Office",
        "TERMINATED  Lee County Sheriff's Office (FL), Task Force Model, signed 2025-02-26; listed since 2025-03-03, ",
        "; listed since 2025-03-03, absent from participatingAgencies03072025am.xlsx  [",
        "switch of model",
        "RETRACTED: listed again on 2025-03-09",
        "provisional",
        "REINSTATED  Leon County",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (["--since", "2025-03-07"], 7),
        (["--since", "2025-03-07", "--until", "2025-03-07"], 5),
        (["--until", "today"], 10),
        (["--since", "7d"], 0),
        (["--since", "yesterday"], 0),
        (["--state", "florida", "--state", "TX"], 10),
        (["--model", "wso"], 1),
        (["--model", "Task Force Model", "--model", "WSO"], 10),
        (["--kind", "new", "--kind", "terminated"], 6),
        (["--list", "pending"], 0),
        (["--no-corrections"], 7),
    ],
)
def test_filters_narrow_the_report(database: Path, options: list[str], number: int) -> None:
    document = json.loads(story.run(database, "report", "--format", "json", *options).output)
    assert len(document["events"]) == number


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "last week"], "is no date; give YYYY-MM-DD, today, yesterday"),
        (["--since", "9999999999d"], "is no date"),
        (["--since", "2025-03-07", "--until", "2025-03-01"], "is after --until"),
        (["--state", "Texs"], "did you mean Texas?"),
        (["--state", "ZZ"], "one of AK, AL"),
        (["--model", "XYZ"], "JEM (Jail Enforcement Model), WSO"),
        (["--kind", "gone"], "'terminated'"),
        (["--list", "waiting"], "'participating', 'pending'"),
        (["--format", "pdf"], "'markdown'"),
        (["--kind", "changed", "--no-corrections"], "leaves nothing"),
    ],
)
def test_a_wrong_filter_is_told_what_is_allowed(database: Path, options: list[str], words: str) -> None:
    result = story.run(database, "report", *options)
    assert result.exit_code == Code.USAGE
    assert words in " ".join(result.output.split())


def test_nothing_found_is_said_in_words_and_valid_elsewhere(database: Path) -> None:
    def empty(form: str) -> str:
        return story.run(database, "report", "--state", "GU", "--format", form).stdout

    assert empty("text") == "No events, Guam.\n"
    assert json.loads(empty("json"))["events"] == []
    assert len(list(csv.reader(io.StringIO(empty("csv"))))) == 1
    assert "No events, Guam." in empty("markdown")
    assert "No events, Guam." in empty("html")


def test_an_empty_history_has_no_events(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    assert story.run(tmp_path / "history.db", "report").output == "No events.\n"


def test_json_is_the_same_bytes_every_time(database: Path) -> None:
    once, again = (story.run(database, "report", "--format", "json").stdout_bytes for _ in range(2))
    assert once == again
    assert b'"sequence"' not in once


def test_colours_are_for_terminals(database: Path) -> None:
    assert "\x1b[" in story.run(database, "report", colour=True).output
    assert "\x1b[" not in story.run(database, "report").output


def test_a_pipe_gets_plain_text_in_any_locale(database: Path) -> None:
    command = [str(Path(sys.executable).with_name("watch287g")), "--db", str(database), "report"]
    for environment in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        done = subprocess.run(
            command, capture_output=True, check=True, env=os.environ | environment, cwd=database.parent
        )
        assert done.stdout.startswith(b"10 events: ")
        assert b"\x1b" not in done.stdout + done.stderr


def test_a_history_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    result = story.run(tmp_path / "none.db", "report")
    assert result.exit_code == Code.FAILED
    assert "there is no history at" in str(result.exception)
