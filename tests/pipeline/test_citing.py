"""Citations: what the history says of a day, and that ICE's workbooks, read by another program, say the same."""

from __future__ import annotations

import csv
import random
import sqlite3
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from db.archive import Archive
from db.connect import open_readonly
from db.records import ListName, Verdict
from pipeline import citing
from pipeline.citing import queries
from pipeline.reports import citation as citation_text
from pipeline.reports.cited import Citation, Origin, Part, Says
from pipeline.tracking import names
from tests.archive import needs_archive
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff
from tests.pipeline.reports import story
from tests.pipeline.test_backfill import whole

__all__ = ["whole"]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    opened = open_readonly(story.write(tmp_path_factory.mktemp("history")))
    yield opened
    opened.close()


def _id(connection: sqlite3.Connection, agency: str, list_name: str = "participating") -> str:
    found = connection.execute(
        "select a.public_id from agreement a join version v on v.agreement_id = a.id"
        " where a.list = ? and v.agency like ? order by a.id",
        (list_name, f"{agency}%"),
    ).fetchone()
    return str(found[0])


def _cite(connection: sqlite3.Connection, agency: str, day: int) -> Citation:
    return citing.cite_agreement(connection, _id(connection, agency), date(2025, 3, day))


def test_an_agreement_that_is_listed_has_its_row_and_its_neighbours(connection: sqlite3.Connection) -> None:
    bay = _cite(connection, "Bay", 6)
    assert bay.says is Says.LISTED
    assert {part: shown.published_on for part, shown in bay.parts.items()} == {
        Part.OF_THE_DAY: "2025-03-05",
        Part.BEFORE: "2025-03-03",
        Part.AFTER: "2025-03-07",
    }
    assert [row.row for row in bay.shown.rows] == [40]
    assert bay.shown.rows[0].cells["SIGNED"] == "2025-02-25"
    assert bay.parts[Part.BEFORE].rows[0].cells["SIGNED"] == "2025-02-26"
    assert [event.kind for event in bay.events] == ["changed"]


def test_one_that_has_ended_names_the_last_list_that_had_it(connection: sqlite3.Connection) -> None:
    lee = _cite(connection, "Lee", 9)
    assert lee.says is Says.NOT_LISTED
    assert lee.shown.published_on == "2025-03-09"
    assert lee.parts[Part.LAST_WITH].published_on == "2025-03-05"
    assert lee.parts[Part.LAST_WITH].rows
    assert Part.NEXT_WITH not in lee.parts
    assert [(event.kind, event.status) for event in lee.events] == [("terminated", "confirmed")]


def test_one_that_is_not_listed_yet_names_the_first_list_that_has_it(connection: sqlite3.Connection) -> None:
    polk = _cite(connection, "Polk", 4)
    assert polk.says is Says.NOT_LISTED
    assert polk.parts[Part.NEXT_WITH].published_on == "2025-03-05"
    assert Part.LAST_WITH not in polk.parts
    assert polk.asked.terms is not None
    assert polk.asked.terms.agency == "Polk County Sheriff's Office"


def test_one_that_was_missing_once_names_the_lists_on_both_sides(connection: sqlite3.Connection) -> None:
    leon = _cite(connection, "Leon", 8)
    assert leon.says is Says.NOT_LISTED
    assert leon.parts[Part.LAST_WITH].published_on == "2025-03-05"
    assert leon.parts[Part.NEXT_WITH].published_on == "2025-03-09"
    assert [(event.kind, event.status) for event in leon.events] == [
        ("terminated", "retracted"),
        ("reinstated", "confirmed"),
    ]


def test_a_switch_of_model_names_the_other_agreement(connection: sqlite3.Connection) -> None:
    lake = _cite(connection, "Lake", 8)
    assert lake.says is Says.NOT_LISTED
    assert [row.cells["SUPPORT TYPE"] for row in lake.namesakes] == ["Warrant Service Officer"]
    assert {event.kind for event in lake.events} == {"terminated", "new"}


def test_an_application_is_looked_for_on_the_pending_list(connection: sqlite3.Connection) -> None:
    polk = _id(connection, "Polk", "pending")
    assert citing.cite_agreement(connection, polk, date(2025, 3, 4)).says is Says.LISTED
    assert citing.cite_agreement(connection, polk, date(2025, 3, 5)).says is Says.NOT_LISTED


def test_a_day_before_the_lists_cannot_be_cited(connection: sqlite3.Connection) -> None:
    with pytest.raises(citing.NothingKnown) as nothing:
        _cite(connection, "Bay", 2)
    assert nothing.value.begins == "2025-03-03"
    with pytest.raises(LookupError):
        citing.cite_agreement(connection, "a-none", date(2025, 3, 4))


def test_a_duplicate_row_is_cited_too(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay", "Lee", "Lee")))
        lee = _cite(history.connection, "Lee", 3)
    assert [(row.row, row.duplicate) for row in lee.shown.rows] == [(3, False), (4, True)]


@pytest.mark.parametrize("verdict", [None, Verdict.REJECTED])
def test_a_list_that_did_not_count_is_mentioned(tmp_path: Path, verdict: Verdict | None) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 2, rows(*COUNTIES[:15])))
        if verdict:
            history.decide(verdict)
        before = _cite(history.connection, "Bay", 4)
        after = _cite(history.connection, "Bay", 6)
    assert not before.not_counted
    assert after.says is Says.LAST_LISTED
    assert [(one.verdict, one.published_on) for one in after.not_counted] == [(verdict or "held", "2025-03-05")]


def test_a_name_that_no_row_has_is_absent_and_the_nearest_rows_are_shown(connection: sqlite3.Connection) -> None:
    citation = citing.cite_absence(connection, "Polk County Police", "FL", ListName.PARTICIPATING, date(2025, 3, 6))
    assert citation.says is Says.NOT_LISTED
    assert citation.elsewhere is None
    assert len(citation.nearest) == 3
    assert citation.nearest[0].agency == "Polk County Sheriff's Office"
    assert citation.shown.rows_read == 41


def test_a_name_that_came_later_is_absent_and_its_first_list_is_named(connection: sqlite3.Connection) -> None:
    citation = citing.cite_absence(connection, "polk county", "FL", ListName.PARTICIPATING, date(2025, 3, 4))
    assert citation.says is Says.NOT_LISTED
    assert citation.elsewhere == ("2025-03-05", "2025-03-09")


@pytest.mark.parametrize("name", ["Clay County Sheriff's Office", "CLAY CONTY SHERIFFS", "Clay Co SO", "clay"])
def test_no_spelling_proves_that_an_agency_is_absent(connection: sqlite3.Connection, name: str) -> None:
    """The list of the day spells it `Clay Conty Sheriffs Office`."""
    for state in ("FL", None):
        citation = citing.cite_absence(connection, name, state, ListName.PARTICIPATING, date(2025, 3, 8))
        assert [row.row for row in citation.shown.rows] == [38]
    elsewhere = citing.cite_absence(connection, name, "GA", ListName.PARTICIPATING, date(2025, 3, 8))
    assert elsewhere.says is Says.NOT_LISTED
    assert "Clay" in elsewhere.nearest[0].agency


def test_what_may_be_it_on_other_days_is_shown_and_never_called_none(tmp_path: Path) -> None:
    """The list of 3 March lacks it, that of 5 March has it misspelt."""
    with History(tmp_path) as history:
        history.post(
            Posted("participating", 0, rows("Bay", "Lee")),
            Posted("participating", 2, [*rows("Bay", "Lee"), sheriff("Okeechobe")]),
        )
        asked = "Okeechobee County Sheriff's Office", "FL", ListName.PARTICIPATING
        before = citing.cite_absence(history.connection, *asked, date(2025, 3, 4))
        after = citing.cite_absence(history.connection, *asked, date(2025, 3, 5))
        ever = citing.ever_named(history.connection, *asked)
    assert before.says is Says.NOT_LISTED
    assert before.elsewhere is None
    assert [(one.agency, one.since, one.until) for one in before.alike] == [
        ("Okeechobe County Sheriff's Office", "2025-03-05", "2025-03-05")
    ]
    assert before.parts[Part.AFTER].says is Says.MAY_BE
    assert after.says is Says.MAY_BE
    assert not after.says.certain
    assert ever == [row.agreement_id for row in after.shown.rows]
    told = citation_text.of_all_lists(before)
    assert len(told) == 1
    assert told[0].startswith("Lists of other days have what may be it: Okeechobe County Sheriff's Office (FL), listed")


def test_the_nearest_rows_are_found_whatever_the_spaces(connection: sqlite3.Connection) -> None:
    citation = citing.cite_absence(connection, "De Soto Jail", "FL", ListName.PARTICIPATING, date(2025, 3, 6))
    assert citation.says is Says.NOT_LISTED
    assert "DeSoto County Sheriff's Office" in [row.agency for row in citation.nearest]


def test_a_row_whose_state_cannot_be_read_may_be_of_any(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        listed = [*rows(*COUNTIES[:30]), sheriff("Zavala", state="AKANSAS")]
        history.post(Posted("participating", 0, listed))
        citation = citing.cite_absence(
            history.connection, "Zavala County", "TX", ListName.PARTICIPATING, date(2025, 3, 3)
        )
    assert citation.says is Says.MAY_BE


def test_a_name_that_no_list_ever_had_is_searched_for_in_all(connection: sqlite3.Connection) -> None:
    assert citing.ever_named(connection, "Polk County Police", "FL", ListName.PARTICIPATING) == []
    never = citing.cite_never(connection, "Polk County Police", "FL", ListName.PARTICIPATING)
    assert never.says is Says.NEVER
    assert (never.searched.lists, never.searched.first, never.searched.last) == (4, "2025-03-03", "2025-03-09")
    assert [one.published_on for one in never.consulted] == ["2025-03-03", "2025-03-05", "2025-03-07", "2025-03-09"]
    assert never.newest.published_on == "2025-03-09"
    assert never.nearest[0].agency == "Polk County Sheriff's Office"
    assert (never.nearest[0].since, never.nearest[0].until) == ("2025-03-05", "2025-03-09")
    assert never.other is None


@pytest.mark.parametrize("name", ["Lee", "Clay", "CLAY CONTY", "Leon County SO"])
def test_one_that_any_list_has_named_was_listed(connection: sqlite3.Connection, name: str) -> None:
    """Lee has left, Clay was respelt, Leon came back."""
    for state in ("FL", None):
        assert len(citing.ever_named(connection, name, state, ListName.PARTICIPATING)) == 1
    assert citing.ever_named(connection, name, "GA", ListName.PARTICIPATING) == []


def test_one_known_from_the_other_list_only_is_said_to_be(connection: sqlite3.Connection) -> None:
    never = citing.cite_never(connection, "Orange", "FL", ListName.PARTICIPATING)
    assert never.other == ("2025-03-03", "2025-03-05")


@pytest.mark.parametrize(
    ("day", "seen_again", "says"),
    [(3, None, Says.LISTED), (4, None, Says.LAST_LISTED), (4, 1, Says.LISTED), (5, 1, Says.LAST_LISTED)],
)
def test_a_day_after_the_last_sighting_is_not_known(
    tmp_path: Path, day: int, seen_again: int | None, says: Says
) -> None:
    first = Posted("participating", 0, rows("Bay", "Lee"))
    with History(tmp_path) as history:
        history.post(first, *([first.seen_again(seen_again)] if seen_again else []))
        assert _cite(history.connection, "Bay", day).says is says


def test_the_lists_of_the_other_kind_are_no_sightings_of_this_one(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay")), Posted("pending", 3, rows("Lee")))
        assert _cite(history.connection, "Bay", 6).says is Says.LAST_LISTED


def test_the_citations_of_an_agency_begin_with_what_is_listed(connection: sqlite3.Connection) -> None:
    ids = citing.of_agency(connection, "fl-lake-county-sheriffs-office")
    assert len(ids) == 2
    several = citing.cite_several(connection, ids, date(2025, 3, 8))
    assert several.says is Says.LISTED
    assert [one.says for one in several.citations] == [Says.LISTED, Says.NOT_LISTED]
    assert several.listed == 1
    assert citing.listed_among(connection, ListName.PARTICIPATING, ids, date(2025, 3, 8)) == {
        several.citations[0].asked.agreement_id
    }


def test_a_time_that_is_the_files_own_is_no_sighting(tmp_path: Path) -> None:
    same = datetime(2025, 3, 3, 14, tzinfo=UTC)
    with History(tmp_path) as history:
        history.post(
            Posted("participating", 0, rows("Bay"), modified=same), Posted("participating", 1, rows("Bay", "Lee"))
        )
        bay = _cite(history.connection, "Bay", 4)
    assert [one.origin for one in bay.parts[Part.BEFORE].seen] == [Origin.FILE]
    assert [one.origin for one in bay.shown.seen] == [Origin.COLLECTION]
    assert not bay.shown.fetched


def test_no_query_walks_a_table_without_an_index(connection: sqlite3.Connection) -> None:
    asked: set[str] = set()
    connection.set_trace_callback(asked.add)
    for agency in ("Bay", "Leon", "Lake"):
        _cite(connection, agency, 8)
    citing.cite_absence(connection, "Polk", "FL", ListName.PARTICIPATING, date(2025, 3, 4))
    citing.of_agency(connection, "fl-polk-county-sheriffs-office")
    citing.candidates(connection, ["a-1"])
    citing.listed_among(connection, ListName.PARTICIPATING, ["a-1"], date(2025, 3, 4))
    citing.ever_named(connection, "Polk", "FL", ListName.PARTICIPATING)
    connection.set_trace_callback(None)
    for statement in asked - {queries.SPELLINGS}:
        if "like" in statement:
            continue
        for step in connection.execute(f"explain query plan {statement}"):
            what = step["detail"]
            assert not what.startswith("SCAN") or " INDEX " in what or what == "SCAN j", f"{what} in {statement}"


# Against the workbooks themselves, read by openpyxl and by nothing of ours


HEADER = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
IDENTITY = ("STATE", "LAW ENFORCEMENT AGENCY", "SUPPORT TYPE", "SIGNED")
SINCE, UNTIL = date(2025, 2, 21), date(2025, 12, 15)
Cells = dict[str, str]


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)


@cache
def _by_openpyxl(path: Path) -> dict[int, Cells]:
    """Row -> cells as text under ICE's own headers, blank rows left out."""
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in book.worksheets:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            names = [_as_text(cell).strip().upper() for cell in cells]
            if "STATE" not in names or "LAW ENFORCEMENT AGENCY" not in names:
                continue
            where = {name: names.index(name) for name in HEADER if name in names}
            data = enumerate(sheet.iter_rows(min_row=number + 1, values_only=True), number + 1)
            found = {row: {name: _as_text(cells[at]) for name, at in where.items()} for row, cells in data}
            return {row: cells for row, cells in found.items() if any(value.strip() for value in cells.values())}
    raise AssertionError(f"{path} has no list")


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _identity(cells: Cells) -> tuple[str, ...]:
    return tuple(_plain(cells.get(name, "")) for name in IDENTITY)


def _day(chance: random.Random) -> date:
    return SINCE + timedelta(days=chance.randrange((UNTIL - SINCE).days))


@pytest.fixture(scope="module")
def archived(whole: Path) -> Iterator[tuple[sqlite3.Connection, Archive]]:
    opened = open_readonly(whole / "history.db")
    yield opened, Archive(whole / "archive")
    opened.close()


def _is_the_list_of_the_day(connection: sqlite3.Connection, citation: Citation) -> bool:
    found = connection.execute(
        "select workbook_sha256 from publication_log where list = ? and verdict = 'accepted' and published_on <= ?"
        " order by published_on, sequence",
        (citation.asked.list, citation.asked.on),
    ).fetchall()
    return bool(found[-1][0] == citation.shown.workbook_sha256)


def _random_citations(connection: sqlite3.Connection, says: Says, number: int) -> Iterator[Citation]:
    """Citations of random agreements and applications on random days, of those with one answer."""
    chance = random.Random(287)
    everyone = [row[0] for row in connection.execute("select public_id from agreement order by public_id")]
    found = 0
    while found < number:
        citation = citing.cite_agreement(connection, chance.choice(everyone), _day(chance))
        if citation.says is says:
            found += 1
            yield citation


@needs_archive
def test_fifty_random_agreements_that_are_listed_stand_in_the_workbooks_as_cited(
    archived: tuple[sqlite3.Connection, Archive],
) -> None:
    connection, archive = archived
    for citation in _random_citations(connection, Says.LISTED, 50):
        assert _is_the_list_of_the_day(connection, citation)
        _compare(citation, archive)


def _compare(citation: Citation, archive: Archive) -> None:
    """The cited rows are, cell by cell, those of the workbook, and no other row has their state, name, model, date."""
    read = _by_openpyxl(archive.path(citation.shown.workbook_sha256))
    assert len(read) == citation.shown.rows_read + len(citation.shown.left_out), citation.shown
    for row in citation.shown.rows:
        printed = {name: text for name, text in row.cells.items() if text}
        assert printed == {name: text for name, text in read[row.row].items() if text}, citation.asked
    wanted = {_identity(dict(row.cells)) for row in citation.shown.rows}
    same = [row for row, cells in read.items() if _identity(cells) in wanted]
    assert same == [row.row for row in citation.shown.rows], citation.asked


@needs_archive
def test_rows_entered_twice_and_dates_that_cannot_be_read_are_cited_as_they_stand(
    archived: tuple[sqlite3.Connection, Archive],
) -> None:
    connection, archive = archived
    odd = connection.execute(
        "select agreement_id, max(published_on) as day, max(duplicate) as twice from listings"
        " where list = 'participating' and (duplicate = 1 or printed_signed not glob '20[12][0-9]-[01][0-9]-*')"
        " group by agreement_id, duplicate order by agreement_id"
    ).fetchall()
    seen = set()
    for agreement, day, twice in odd:
        citation = citing.cite_agreement(connection, agreement, date.fromisoformat(day))
        seen.add((len(citation.shown.rows) > 1, bool(twice)))
        _compare(citation, archive)
    assert len(odd) >= 5
    assert (True, True) in seen


@needs_archive
def test_fifty_random_agreements_that_are_not_listed_stand_nowhere_in_the_workbooks(
    archived: tuple[sqlite3.Connection, Archive],
) -> None:
    """Not under any state, name, model and date that ICE has ever printed for them."""
    connection, archive = archived
    for citation in _random_citations(connection, Says.NOT_LISTED, 50):
        assert _is_the_list_of_the_day(connection, citation)
        ever = {
            tuple(_plain(text) for text in row)
            for row in connection.execute(
                "select distinct printed_state, printed_agency, printed_support_type, coalesce(printed_signed, '')"
                " from listings where agreement_id = ?",
                (citation.asked.agreement_id,),
            )
        }
        assert ever
        read = _by_openpyxl(archive.path(citation.shown.workbook_sha256))
        same = [row for row, cells in read.items() if _identity(cells) in ever]
        assert same == [], (citation.asked, same)


@needs_archive
def test_fifty_agencies_that_are_not_listed_yet_stand_nowhere_in_the_workbooks(
    archived: tuple[sqlite3.Connection, Archive],
) -> None:
    connection, archive = archived
    chance = random.Random(1996)
    agencies = connection.execute("select agency, state from agencies order by agency_id").fetchall()
    states = dict(connection.execute("select postal, name from state").fetchall())
    found = 0
    while found < 50:
        name, state = chance.choice(agencies)
        citation = citing.cite_absence(connection, name, state, ListName.PARTICIPATING, _day(chance))
        if citation.shown.rows:
            continue
        found += 1
        assert _is_the_list_of_the_day(connection, citation)
        read = _by_openpyxl(archive.path(citation.shown.workbook_sha256))
        here = (_plain(states[state]), _plain(name))
        same = [row for row, cells in read.items() if _identity(cells)[:2] == here]
        assert same == [], (citation.asked, same)


# Absence, against spellings that people and ICE make


def _with_a_slip(name: str, chance: random.Random) -> str:
    """A letter left out, put in, put for another, or two that change places."""
    at = chance.choice([place for place, letter in enumerate(name) if letter.isalpha()])
    letter = chance.choice(string.ascii_lowercase)
    before, after = name[:at], name[at + 1 :]
    return chance.choice(
        [
            before + after,
            before + letter + name[at:],
            before + letter + after,
            before + name[at : at + 2][::-1] + name[at + 2 :],
        ]
    )


def _reworded(name: str) -> list[str]:
    words = (
        ("Office", "Department"),
        ("Department", "Office"),
        ("St. ", "Saint "),
        ("Saint ", "St. "),
        (" County", ""),
    )
    return [name.replace(one, other, 1) for one, other in words if one in name]


@needs_archive
def test_three_hundred_listed_agencies_respelt_or_reworded_are_never_called_absent(
    archived: tuple[sqlite3.Connection, Archive],
) -> None:
    """A slip in one letter, or another word, on a day on which they were listed."""
    connection, _ = archived
    chance = random.Random(287)
    listed = connection.execute(
        "select agreement_id, state, agency, valid_from from listing_history"
        " where list = 'participating' and state is not null order by agreement_id, valid_from"
    ).fetchall()
    asked = 0
    while asked < 300:
        ident, state, agency, since = chance.choice(listed)
        on = date.fromisoformat(since)
        if not citing.listed_among(connection, ListName.PARTICIPATING, [ident], on):
            continue
        asked += 1
        name = chance.choice([_with_a_slip(agency, chance), *_reworded(agency)])
        citation = citing.cite_absence(connection, name, state, ListName.PARTICIPATING, on)
        assert ident in {row.agreement_id for row in citation.shown.rows}, (name, agency, state, since)


@needs_archive
def test_absence_is_seldom_refused_for_places_that_no_list_has(archived: tuple[sqlite3.Connection, Archive]) -> None:
    """Cities of the Census with a police department of their own that no list of their state has."""
    connection, _ = archived
    chance = random.Random(1996)
    text = resources.files("pipeline.reading").joinpath("cities.csv").read_text(encoding="utf-8")
    cities = [(row["state"], row["name"]) for row in csv.DictReader(text.splitlines())]
    places = {
        (row["state"], names.parse(row["agency"], row["state"]).compact)
        for row in connection.execute("select distinct state, agency from listing_history")
    }
    asked, refused = 0, []
    while asked < 100:
        state, city = chance.choice(cities)
        name = f"{city} Police Department"
        if (state, names.parse(name, state).compact) in places:
            continue
        asked += 1
        citation = citing.cite_absence(connection, name, state, ListName.PARTICIPATING, date(2025, 12, 10))
        if citation.shown.rows:
            refused.append((name, state))
    assert len(refused) <= 5, refused


@needs_archive
@pytest.mark.parametrize(
    ("name", "state", "row"),
    [
        ("Berrien County Sheriff's Office", "MI", "Berrian County Sheriff's Office"),
        ("Douglas County Sheriff's Office", "MO", "Dogulas County Sheriff's Office"),
        ("Calcasieu Parish Sheriff's Office", "LA", "Calacasieu Parish Sheriff's Office"),
        ("Broward County Sheriff's Department", "FL", "Broward County Sheriff's Office"),
        ("Sheriff of Broward County", "FL", "Broward County Sheriff's Office"),
        ("Town of Davie Police Department", "FL", "Davie Police Department"),
        ("Sunny Isles Beach Police Department", "FL", "Sunny Isles Police Department"),
        ("De Soto County Sheriff's Office", "FL", "DeSoto County Sheriff's Office"),
        ("Mc Kenzie County Sheriff's Office", None, "McKenzie County Sheriff's Office"),
        ("Boston Police Department", "MA", None),
        ("Boston Police Department", None, None),
    ],
)
def test_real_agencies_under_another_spelling_are_shown_and_not_called_absent(
    archived: tuple[sqlite3.Connection, Archive], name: str, state: str | None, row: str | None
) -> None:
    connection, _ = archived
    citation = citing.cite_absence(connection, name, state, ListName.PARTICIPATING, date(2025, 12, 10))
    assert {one.agency for one in citation.shown.rows} == ({row} if row else set())
    assert bool(citing.ever_named(connection, name, state, ListName.PARTICIPATING)) is (row is not None)
