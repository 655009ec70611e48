"""`watch287g show`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.db.histories import History, Posted, rows, sheriff
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_a_timeline_has_terms_events_and_evidence(database: Path) -> None:
    told = story.run(database, "show", "clay county").output
    for words in (
        "Clay Conty Sheriffs Office (FL): 1 agreement listed now, 1 ever",
        "also listed as Clay County Sheriff's Office",
        "2025-03-03  first listed, in participatingAgencies03032025am.xlsx, row 37",
        "2025-03-05  CHANGED     MOA posted; in participatingAgencies03052025am.xlsx, row 41",
        "spelling corrected: Clay County Sheriff's Office -> Clay Conty Sheriffs Office",
        "2025-03-03 to 2025-03-05: Clay County Sheriff's Office (FL), Task Force Model, signed 2025-02-26",
        f"2025-03-05 to 2025-03-07: MOA {story.MOA}",
        "2025-03-07 to now: Clay Conty Sheriffs Office (FL)",
    ):
        assert words in told


def test_an_application_and_its_agreement_are_one_story(database: Path) -> None:
    told = story.run(database, "show", "polk").output
    assert told.index("Task Force Model, application: not listed since 2025-03-05") < told.index("signed as a-")
    assert "NEW         pending since 2025-03-03; in participatingAgencies03052025am.xlsx, row" in told


def test_a_switch_of_models_shows_both_agreements(database: Path) -> None:
    told = story.run(database, "show", "lake").output
    assert "1 agreement listed now, 2 ever" in told
    assert "Task Force Model, signed 2025-02-26: not listed since 2025-03-07" in told
    assert "Warrant Service Officer, signed 2025-03-06: listed" in told


def test_an_application_that_waits_is_pending(database: Path) -> None:
    assert ": 0 agreements listed now, 0 ever, 1 application pending" in story.run(database, "show", "orange").output


def test_several_agencies_are_listed_and_none_is_guessed(database: Path) -> None:
    result = story.run(database, "show", "le")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Lee County Sheriff's Office (FL)",
        "Leon County Sheriff's Office (FL)",
        "Levy County Sheriff's Office (FL)",
    ]
    assert str(result.exception) == "3 agencies match 'le'; give more of the name, or --state"


def test_a_state_tells_agencies_of_one_name_apart(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, [sheriff("Lake"), sheriff("Lake", state="OHIO")]))
    database = tmp_path / "history.db"
    assert story.run(database, "show", "Lake County Sheriff's Office").exit_code == 1
    assert story.run(database, "show", "lake", "--state", "Ohio").output.startswith("Lake County Sheriff's Office (OH)")


def test_a_name_that_nobody_has_is_one_sentence(database: Path) -> None:
    result = story.run(database, "show", "kerr", "--state", "TX")
    assert result.exit_code == 1
    assert str(result.exception) == "no agency in TX has 'kerr' in its name; try a shorter part of it"


def test_a_misspelt_name_is_told_what_may_be_meant(database: Path) -> None:
    result = story.run(database, "show", "Pollk")
    assert result.exit_code == 1
    assert str(result.exception) == (
        "no agency has 'Pollk' in its name; did you mean Polk County Sheriff's Office (FL)?"
    )


def test_a_name_of_another_state_is_told_where_it_is(database: Path) -> None:
    told = str(story.run(database, "show", "polk", "--state", "TX").exception)
    assert told == "no agency in TX has 'polk' in its name; did you mean Polk County Sheriff's Office (FL)?"


@pytest.mark.parametrize("nothing", ["", " ", "'"])
def test_no_name_at_all_is_one_sentence(database: Path, nothing: str) -> None:
    result = story.run(database, "show", nothing)
    assert result.exit_code == 1
    assert str(result.exception).startswith("give the name of an agency or a part of it")


def test_the_name_of_today_wins_over_the_past_of_others_and_those_say_why_they_match(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        once, now = sheriff("Polk", agency="Plok County Sheriff's Office"), sheriff("Plok", state="OHIO")
        history.post(
            Posted("pending", 0, [once, sheriff("Orange")]),
            Posted("participating", 0, [*rows("Bay", "Lee"), now]),
            Posted("participating", 2, [*rows("Bay", "Lee", "Polk"), now]),
        )
    database = tmp_path / "history.db"
    assert story.run(database, "show", "plok county sheriff's office").output.startswith(
        "Plok County Sheriff's Office (OH): 1 agreement"
    )
    assert story.run(database, "show", "plok").stdout.splitlines() == [
        "Plok County Sheriff's Office (OH)",
        "Polk County Sheriff's Office (FL), once listed as Plok County Sheriff's Office",
    ]


def test_the_id_that_other_commands_and_pages_give_is_enough(database: Path) -> None:
    by_id = story.run(database, "show", "fl-clay-county-sheriffs-office").output
    assert by_id == story.run(database, "show", "clay county").output
