"""`watch287g explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def _event(database: Path, kind: str, agency: str) -> dict[str, Any]:
    document = json.loads(story.run(database, "report", "--format", "json").output)
    found = [e for e in document["events"] if e["kind"] == kind and e["agency"].startswith(agency)]
    return dict(found[0])


def test_a_correction_shows_the_evidence_and_both_rows(database: Path) -> None:
    event = _event(database, "changed", "Bay")
    told = story.run(database, "explain", event["event_id"]).output
    for words in (
        "continued: taken for the agreement that stood there before",
        "points above the border",
        "+2.0 same",
        "before: participatingAgencies03032025am.xlsx, row 36, of 2025-03-03",
        "after: participatingAgencies03052025am.xlsx, row 40, of 2025-03-05",
        f"sha256 {event['workbook_sha256']}",
        f"sha256 {event['previous_workbook_sha256']}",
        "* SIGNED                  '2025-02-25'",
    ):
        assert words in told


def test_an_exact_match_says_so(database: Path) -> None:
    event = _event(database, "changed", "Clay County")
    assert "An exact match" in story.run(database, "explain", event["event_id"]).output
    told = story.run(database, "explain", event["agreement_id"]).output
    assert "listed in 4 publications; " in told


def test_a_termination_that_nothing_came_near_has_no_row_after(database: Path) -> None:
    event = _event(database, "terminated", "Lee")
    told = story.run(database, "explain", event["event_id"]).output
    assert "Nothing had to be decided: no row of the new list came near." in told
    assert told.rstrip().endswith("after: no row")
    assert "confirmed: absent from participatingAgencies03092025am.xlsx too" in told


def test_an_agreement_that_came_back_shows_where_it_had_stood(database: Path) -> None:
    told = story.run(database, "explain", _event(database, "reinstated", "Leon")["agreement_id"]).output
    assert "returned: an agreement that had left the list is listed again" in told
    assert "before: participatingAgencies03052025am.xlsx" in told
    assert "after: participatingAgencies03092025am.xlsx" in told


def test_an_agreement_in_which_nothing_was_decided_says_so(database: Path) -> None:
    event = _event(database, "terminated", "Levy")
    told = story.run(database, "explain", event["agreement_id"]).output
    assert "listed in 3 publications; every row matched exactly, nothing had to be decided" in told


def test_the_beginning_of_an_id_is_enough(database: Path) -> None:
    ident = _event(database, "changed", "Bay")["event_id"]
    assert story.run(database, "explain", ident[:9].upper()).output == story.run(database, "explain", ident).output


@pytest.mark.parametrize(
    ("ident", "words"),
    [
        ("e-zzzz", "no event or agreement has an id that begins with e-zzzz"),
        ("Kerr", "'Kerr' is no id; `report` and `show` give those of events"),
        ("e-", "several ids begin with e- (e-"),
        ("%", "'%' is no id"),
    ],
)
def test_a_wrong_id_is_one_sentence(database: Path, ident: str, words: str) -> None:
    result = story.run(database, "explain", ident)
    assert result.exit_code == 1
    assert str(result.exception).startswith(words)
