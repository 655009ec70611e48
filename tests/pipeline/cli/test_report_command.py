"""`watch287g report`."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.context import Code
from tests.db.histories import History, Posted, rows, sheriff
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_everything_that_happened_is_told(database: Path) -> None:
    told = story.run(database, "report").output
    for words in (
        "10 events: 4 terminated (1 of them retracted), 2 new, 1 reinstated, 3 changed",
        "NEW         Polk County Sheriff's Office (FL), Task Force Model, signed 2025-03-04; pending since 2025-03-03",
        "date corrected: 2025-02-26 -> 2025-02-25",
        "MOA posted",
        "spelling corrected: Clay County Sheriff's Office -> Clay Conty Sheriffs Office",
        "TERMINATED  Lee County Sheriff's Office (FL), Task Force Model, signed 2025-02-26; listed since 2025-03-03, ",
        "absent from participatingAgencies03072025am.xlsx; no other agreement of this agency is listed  [was row ",
        "still listed: Warrant Service Officer; see a-",
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
        (["--status", "retracted"], 1),
        (["--status", "provisional", "--status", "retracted"], 2),
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
        (["--status", "doubtful"], "'retracted'"),
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

    assert empty("text") == "No events, Guam; the newest list is of 2025-03-09.\n"
    assert json.loads(empty("json"))["events"] == []
    assert len(list(csv.reader(io.StringIO(empty("csv"))))) == 1
    assert "No events, Guam; the newest list is of" in empty("markdown")
    assert "No events, Guam; the newest list is of" in empty("html")


def test_an_empty_history_has_no_events(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    assert story.run(tmp_path / "history.db", "report").output == "No events; the history has no list yet.\n"


def test_json_is_the_same_bytes_every_time(database: Path) -> None:
    once, again = (story.run(database, "report", "--format", "json").stdout_bytes for _ in range(2))
    assert once == again
    assert b'"sequence"' not in once


def test_colours_are_for_terminals(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in story.run(database, "report", colour=True).output
    assert "\x1b[" not in story.run(database, "report").output


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(database: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b[" not in story.run(database, "report", colour=True).output


def test_an_empty_no_color_is_none(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in story.run(database, "report", colour=True).output


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_gets_lines_of_its_width_and_a_pipe_whole_lines(database: Path) -> None:
    import pty

    command = [str(Path(sys.executable).with_name("watch287g")), "--db", str(database), "report"]
    environment = os.environ | {"COLUMNS": "70", "TERM": "dumb"}
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, env=environment, cwd=database.parent) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):
            while some := os.read(ours, 4096):
                shown += some
        os.close(ours)
    assert process.returncode == 0
    piped = subprocess.run(command, capture_output=True, check=True, env=environment, cwd=database.parent).stdout
    assert max(map(len, shown.decode().splitlines())) <= 70
    assert max(map(len, piped.decode().splitlines())) > 150
    assert shown.decode().split() == piped.decode().split()


def test_what_was_learnt_in_the_period_is_in_it_though_dated_before(tmp_path: Path) -> None:
    listed = rows("Bay", "Lee")
    with History(tmp_path) as history:
        history.post(
            Posted("participating", 0, listed),
            Posted("pending", 0, [sheriff("Polk"), sheriff("Orange")]),
            Posted("pending", 2, [sheriff("Orange")]),
            Posted("participating", 40, listed[:1]),
        )
    told = story.run(tmp_path / "history.db", "report", "--since", "2025-04-10", "--until", "2025-04-30").output
    assert "2025-03-05  Pending list, pendingAgencies03052025am.xlsx (told on 2025-04-12): 1 withdrawn" in told
    assert "2 events, from 2025-04-10 to 2025-04-30: 1 terminated, 1 withdrawn" in told
    when_dated = story.run(tmp_path / "history.db", "report", "--until", "2025-03-09").output
    assert "1 withdrawn" in when_dated
    assert "told on" not in when_dated


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
