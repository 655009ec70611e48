"""The demonstration: its days end as they should, and it says so when one does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.records import Kind, Outcome, Status
from pipeline.cli.context import Context, Failure
from pipeline.cli.showing import demo
from pipeline.demo import days, story
from pipeline.demo.days import DAYS
from pipeline.demo.lists import first_agreements
from pipeline.demo.play import Played, play
from pipeline.demo.publisher import PAGE, Publisher
from pipeline.demo.server import Site
from pipeline.reports.text import plain
from scraper.fetched import Totals
from scraper.links import read_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(folder: Path) -> list[Played]:
    return list(play(folder, DAYS))


def test_every_day_ends_as_it_should(played: list[Played]) -> None:
    assert [(one.day.title, one.checked.outcome, one.told) for one in played] == [
        (day.title, day.outcome, tuple(sorted(day.told))) for day in DAYS
    ]


def test_the_days_show_every_outcome_and_every_kind_but_a_renewal() -> None:
    assert {day.outcome for day in DAYS} == set(Outcome)
    assert {told.kind for day in DAYS for told in day.told} == set(Kind) - {Kind.RENEWED}
    assert {told.status for day in DAYS for told in day.told} == set(Status)


def test_a_naive_comparison_would_have_ended_every_agreement_and_more(played: list[Played]) -> None:
    assert sum(one.naive_ends for one in played) > 2 * len(first_agreements())


def test_the_story_tells_each_day(played: list[Played]) -> None:
    for one in played:
        lines = list(story.day(one, plain))
        assert lines[0].endswith(f"2026: {one.day.title}")
        assert sum("UNEXPECTED" in line for line in lines) == 0
        assert max(map(len, lines)) <= 100
        for told in one.day.told:
            assert any(told.agency in line for line in lines)


def test_the_story_of_a_corrected_date_says_what_became_what(played: list[Played]) -> None:
    told = "\n".join(story.day(next(one for one in played if one.day.title == "a corrected date"), plain))

    assert told.endswith(
        "  CHANGED     Finney County Sheriff's Office (KS), Task Force Model, signed 2025-05-18\n"
        "              date corrected: 2025-05-19 -> 2025-05-18\n"
        "              MOA posted"
    )


def test_the_closing_counts(played: list[Played]) -> None:
    heading, *rest = story.closing(played, plain)

    assert heading == "17 days, 17 as expected"
    assert "The record says 2, marked provisional until borne out, and took 1 of them back." in " ".join(rest).replace(
        "  ", " "
    )


def test_a_day_that_ends_otherwise_is_shown_with_both_sides(played: list[Played]) -> None:
    other = replace(played[5], day=replace(played[5].day, outcome=Outcome.UNCHANGED, told=()))
    told = "\n".join(story.day(other, plain))

    assert "UNEXPECTED  the demonstration expects unchanged: no event" in told
    assert "the program came to changed: provisional terminated Kerr County Sheriff's Office" in told
    assert next(story.closing([other], plain)) == "1 day, 0 as expected"


@pytest.fixture
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with the first day only."""
    monkeypatch.setattr(days, "DAYS", DAYS[:1])


def run(*arguments: str, database: Path | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(demo, arguments, obj=Context(database, None), catch_exceptions=True)
    return result.exit_code, result.output + (str(result.exception) if isinstance(result.exception, Failure) else "")


@pytest.mark.usefixtures("one_day")
def test_the_command_keeps_the_history_where_it_is_told_to(tmp_path: Path) -> None:
    code, output = run("--keep", str(tmp_path / "kept"))

    assert code == 0
    assert "watch287g --db" in output
    assert {path.name for path in (tmp_path / "kept").iterdir()} >= {"history.db", "archive", "crawl.log"}


@pytest.mark.usefixtures("one_day")
def test_the_command_leaves_nothing_behind_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert run()[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_command_fails_if_a_day_ends_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "DAYS", (replace(DAYS[0], outcome=Outcome.CHANGED),))

    code, output = run()

    assert code == 1
    assert output.endswith("1 of 1 days ended otherwise than the demonstration expects")


def test_the_command_does_not_touch_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "history.db").touch()

    code, output = run("--keep", str(tmp_path))

    assert code == 1
    assert output == f"{tmp_path} is not empty; name another folder with --keep"


def test_the_command_takes_no_database(tmp_path: Path) -> None:
    assert run(database=tmp_path / "history.db")[0] == 2


def test_the_page_is_read_as_ices_would_be() -> None:
    with Site() as site:
        Publisher(site).post(DAYS[0].on)
        links, totals = read_page(site.pages[PAGE].body, site.url)

    assert [(link.list_hint, link.known_shape) for link in links] == [("participating", True), ("pending", True)]
    models = {"Task Force Model": 24, "Warrant Service Officer": 12, "Jail Enforcement Model": 12}
    assert totals == Totals(48, 8, 0, models)
