"""`watch287g list`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.db.histories import History
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_the_first_and_the_last_line_name_the_workbook(database: Path) -> None:
    lines = story.run(database, "list").output.splitlines()
    assert lines[0] == lines[-1]
    assert lines[0] == "39 agreements on the participating list of 2025-03-09 (participatingAgencies03092025am.xlsx)"
    assert len(lines) == 41


def test_a_list_that_fits_a_screen_is_summed_up_once(database: Path) -> None:
    lines = story.run(database, "list", "--county", "Lake").output.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("1 of 39 agreements")


def test_a_list_of_the_future_is_refused(database: Path) -> None:
    for command in ("list", "stats"):
        result = story.run(database, command, "--as-of", "9998-01-01")
        assert result.exit_code == 1
        assert str(result.exception).startswith("9998-01-01 is in the future; leave out --as-of")


def test_an_old_list_has_its_old_values(database: Path) -> None:
    def row(day: str) -> str:
        return story.run(database, "list", "--as-of", day, "--agency", "clay").output.splitlines()[1]

    assert row("2025-03-05").split("  ")[1] == "Clay County Sheriff's Office"
    assert row("2025-03-08").split("  ")[1] == "Clay Conty Sheriffs Office"
    assert "row 38" in row("2025-03-08")


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (["--state", "FL"], 39),
        (["--state", "Guam"], 0),
        (["--model", "WSO"], 1),
        (["--county", "LAKE"], 1),
        (["--county", "ake"], 0),
        (["--county", "12069"], 1),
        (["--agency", "conty sheriff's"], 1),
        (["--county-code", "listed"], 39),
        (["--county-code", "several", "--county-code", "unknown"], 0),
        (["--list", "pending"], 1),
        (["--list", "pending", "--as-of", "2025-03-04"], 2),
    ],
)
def test_filters_narrow_the_list(database: Path, options: list[str], number: int) -> None:
    document = json.loads(story.run(database, "list", "--format", "json", *options).output)
    assert len(document["agreements"]) == number
    rows = csv.DictReader(io.StringIO(story.run(database, "list", "--format", "csv", *options).output))
    assert [row["agreement_id"] for row in rows] == [row["agreement_id"] for row in document["agreements"]]


def test_a_filtered_list_says_of_how_many_it_is_a_part(database: Path) -> None:
    assert story.run(database, "list", "--county", "Lake").output.startswith("1 of 39 agreements on")
    assert story.run(database, "list", "--county", "Kerr").output.splitlines()[1] == "none matches"


def test_every_row_has_its_evidence(database: Path) -> None:
    document = json.loads(story.run(database, "list", "--format", "json", "--county", "Clay").output)
    assert len(document["source"]["workbook_sha256"]) == 64
    assert document["agreements"][0]["row"] == 38
    assert (document["agreements"][0]["county_fips"], document["agreements"][0]["county_basis"]) == ("12019", "listed")
    assert document["agreements"][0]["moa_url"] == story.MOA
    assert f"[link]({story.MOA})" in story.run(database, "list", "--format", "markdown", "--county", "Clay").output


def test_a_date_before_the_history_is_told_when_it_begins(database: Path) -> None:
    result = story.run(database, "list", "--as-of", "2020-01-01")
    assert result.exit_code == 1
    assert str(result.exception).startswith("the history of the participating list begins on 2025-03-03;")


def test_a_history_without_lists_says_what_to_run(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    assert "run `watch287g check`" in str(story.run(tmp_path / "history.db", "list").exception)
