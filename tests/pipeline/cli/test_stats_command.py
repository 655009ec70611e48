"""`watch287g stats`, and the help of all reading commands."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_one_command_answers_how_many_there_are(database: Path) -> None:
    lines = story.run(database, "stats").output.splitlines()
    assert lines[:2] == [
        "39 agreements on the participating list of 2025-03-09 (participatingAgencies03092025am.xlsx)",
        "39 agencies in 1 state",
    ]
    assert "  Task Force Model         38   97.4%" in lines
    assert "  2025  39  100.0%  42 ever listed" in lines
    assert "  Florida  39  100.0%" in lines


def test_stats_of_a_day_know_nothing_of_later_days(database: Path) -> None:
    document = json.loads(story.run(database, "stats", "--as-of", "2025-03-05", "--format", "json").output)
    assert document["agreements"] == 41
    assert document["by"]["year"] == [{"value": "2025", "agreements": 41, "ever": 41}]
    assert document["source"]["published_on"] == "2025-03-05"


@pytest.mark.parametrize("by", ["model", "year", "month", "state", "county"])
def test_every_count_adds_up_to_all(database: Path, by: str) -> None:
    rows = list(csv.DictReader(io.StringIO(story.run(database, "stats", "--by", by, "--format", "csv").output)))
    assert rows[0]["by"] == "all"
    assert sum(int(row["agreements"]) for row in rows[1:]) == int(rows[0]["agreements"]) == 39
    assert {row["by"] for row in rows[1:]} == {by}


def test_markdown_has_a_table_for_each_count(database: Path) -> None:
    told = story.run(database, "stats", "--by", "month", "--by", "model", "--format", "markdown").output
    assert "| Month | Agreements | Share | Ever listed |" in told
    assert "| Model | Agreements | Share |" in told


def test_filters_narrow_what_is_counted(database: Path) -> None:
    lines = story.run(database, "stats", "--model", "WSO", "--state", "FL", "--by", "year").output.splitlines()
    assert lines[0].startswith("1 of 39 agreements on the participating list of 2025-03-09")
    assert lines[-1] == "  2025  1  100.0%  1 ever listed"
    document = json.loads(story.run(database, "stats", "--state", "TX", "--format", "json").output)
    assert (document["agreements"], document["whole"], document["by"]["year"]) == (0, 39, [])


def test_a_date_before_the_history_is_one_sentence(database: Path) -> None:
    result = story.run(database, "stats", "--as-of", "2025-03-02")
    assert str(result.exception).startswith("the history of the participating list begins on 2025-03-03")


@pytest.mark.parametrize("command", ["report", "list", "show", "explain", "stats"])
def test_every_reading_command_has_help_that_fits_a_screen(tmp_path: Path, command: str) -> None:
    result = story.run(tmp_path / "none.db", command, "--help")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("Usage: ")
    assert len(lines) <= 32
    assert all(len(line) <= 80 for line in lines)
