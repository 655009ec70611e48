"""`list --as-known`: what this history knew on a day, beside what ICE listed on another."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from db.records import ListName, Verdict
from pipeline import queries
from tests.db.histories import COUNTIES, History, Posted, rows, write_folder
from tests.pipeline.reports import story

_FORTY = rows(*COUNTIES[:40])
FIRST = Posted("participating", 0, _FORTY)
BETWEEN = Posted("participating", 2, [*_FORTY, *rows("Polk")])
LIVE = Posted("participating", 4, [*_FORTY, *rows("Polk", "Pasco")])
HELD = Posted("participating", 6, _FORTY[:15])
FOUND_LATER = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Three lists seen live, the last held until the end of the year; one in between found in June."""
    folder = tmp_path_factory.mktemp("history")
    with History(folder) as opened:
        for number, one in enumerate((FIRST, LIVE, HELD)):
            opened.backfill(write_folder(folder / f"live-{number}", [one]), now=one.seen_at)
        opened.decide(Verdict.ACCEPTED)
        opened.backfill(write_folder(folder / "found", [BETWEEN]), now=FOUND_LATER)
        yield opened


@pytest.fixture
def database(history: History) -> Path:
    return history.folder / "history.db"


def _title(database: Path, *options: str) -> str:
    return story.run(database, "list", *options).output.splitlines()[0]


@pytest.mark.parametrize(
    ("as_of", "as_known", "listed_on"),
    [
        ("2025-03-06", "2025-03-06", "2025-03-03"),
        ("2025-03-06", "2025-05-31", "2025-03-03"),
        ("2025-03-06", "2025-06-01", "2025-03-05"),
        ("2025-03-06", None, "2025-03-05"),
        (None, "2025-03-06", "2025-03-03"),
        (None, "2025-03-07", "2025-03-07"),
        (None, "2025-12-30", "2025-03-07"),
        (None, "2025-12-31", "2025-03-09"),
    ],
)
def test_each_clock_leaves_out_what_came_later(
    database: Path, as_of: str | None, as_known: str | None, listed_on: str
) -> None:
    options = [*(["--as-of", as_of] if as_of else []), *(["--as-known", as_known] if as_known else [])]
    title = _title(database, *options)
    assert f"list of {listed_on}" in title
    if as_known:
        assert title.endswith(f", the list in force on {as_of or as_known} as this history knew it on {as_known}")


def test_the_answer_is_the_last_list_that_was_both_published_and_known(history: History) -> None:
    """All pairs of days of the story, against the rule written out over the public view."""
    found = history.connection.execute(
        "select published_on, sequence, known_at, workbook_sha256 from publication_log where verdict = 'accepted'"
    )
    log = [tuple(row) for row in found]
    days = [date(2025, 3, 1) + timedelta(days=n) for n in range(12)]
    for on in days:
        for known in [*days, date(2025, 6, 1), date(2025, 12, 31)]:
            fitting = [one for one in log if one[0] <= on.isoformat() and one[2][:10] <= known.isoformat()]
            standing = queries.standing(history.connection, ListName.PARTICIPATING, on, known)
            assert (standing.source.workbook_sha256 if standing else None) == (max(fitting)[3] if fitting else None)


def test_since_when_an_agreement_is_listed_is_what_was_known_then(database: Path) -> None:
    def since(*options: str) -> str:
        options = ("list", "--format", "json", "--agency", "Polk", "--as-of", "2025-03-07", *options)
        (polk,) = json.loads(story.run(database, *options).output)["agreements"]
        return str(polk["first_listed_on"])

    assert since() == "2025-03-05"
    assert since("--as-known", "2025-03-08") == "2025-03-07"
    assert since("--as-known", "2025-06-01") == "2025-03-05"


def test_a_history_that_knew_nothing_yet_says_when_it_began(database: Path) -> None:
    result = story.run(database, "list", "--as-known", "2025-03-02")
    assert result.exit_code == 1
    assert str(result.exception) == (
        "on 2025-03-02 this history knew no participating list yet; its first came on 2025-03-03"
    )


def test_a_day_before_the_lists_that_were_known_is_told_apart(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(tmp_path / "live", [LIVE]), now=LIVE.seen_at)
        history.backfill(write_folder(tmp_path / "found", [FIRST]), now=FOUND_LATER)
    database = tmp_path / "history.db"
    result = story.run(database, "list", "--as-of", "2025-03-04", "--as-known", "2025-03-08")
    assert str(result.exception).startswith("of what this history knew on 2025-03-08, no participating list is as old")
    assert "list of 2025-03-03" in _title(database, "--as-of", "2025-03-04", "--as-known", "2025-06-01")


def test_a_day_to_come_is_refused(database: Path) -> None:
    result = story.run(database, "list", "--as-known", "9998-01-01")
    assert str(result.exception).startswith("9998-01-01 is in the future; leave out --as-known")


def test_every_format_names_both_clocks(database: Path) -> None:
    options = ("--as-of", "2025-03-06", "--as-known", "2025-03-08")
    document = json.loads(story.run(database, "list", "--format", "json", *options).output)
    assert (document["as_of"], document["as_known"]) == ("2025-03-06", "2025-03-08")
    (row, *_) = csv.DictReader(io.StringIO(story.run(database, "list", "--format", "csv", *options).output))
    assert (row["as_of"], row["as_known"]) == ("2025-03-06", "2025-03-08")
    assert (
        "as this history knew it on 2025-03-08" in story.run(database, "list", "--format", "markdown", *options).output
    )


def test_counts_are_of_what_was_known(database: Path) -> None:
    told = story.run(database, "stats", "--by", "year", "--as-of", "2025-03-06", "--as-known", "2025-03-08").output
    assert told.startswith("40 agreements on")
    assert "100.0%  40 ever listed" in told
    told = story.run(database, "stats", "--by", "year", "--as-known", "2025-12-31").output
    assert told.startswith("15 agreements on")
    assert "100.0%  42 ever listed" in told


def test_a_rebuild_remembers_when_what_was_known(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        for number, one in enumerate((FIRST, LIVE, HELD)):
            history.backfill(write_folder(tmp_path / f"live-{number}", [one]), now=one.seen_at)
        history.decide(Verdict.ACCEPTED)
        history.backfill(write_folder(tmp_path / "found", [BETWEEN]), now=FOUND_LATER)
        days = (date(2025, 3, 6), date(2025, 3, 8), date(2025, 6, 1), date(2025, 12, 31))
        before = [queries.standing(history.connection, ListName.PARTICIPATING, None, day) for day in days]
        history.rebuild()
        assert [queries.standing(history.connection, ListName.PARTICIPATING, None, day) for day in days] == before
