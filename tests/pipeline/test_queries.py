"""The queries of the reading commands: what they find, and that they find it by an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from db.connect import open_readonly
from db.records import Kind, ListName, Status
from pipeline import explanations, queries
from pipeline.reports import data
from pipeline.reports.record import Reach, Selection
from tests.db.histories import History, Posted, rows, sheriff, write_folder
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    opened = open_readonly(story.write(tmp_path_factory.mktemp("history")))
    yield opened
    opened.close()


def _report(connection: sqlite3.Connection) -> None:
    queries.events(connection, Selection())
    queries.events(connection, Selection(date(2025, 3, 4), date(2025, 3, 9), ("FL",), ("x",), (Kind.NEW,)))
    queries.events(connection, Selection(statuses=(Status.RETRACTED,)))
    for selection in (Selection(), Selection(date(2025, 3, 4), list=ListName.PENDING)):
        queries.reach(connection, selection)


def _list(connection: sqlite3.Connection) -> None:
    for name in ListName:
        queries.standing(connection, name)
        queries.standing(connection, name, date(2025, 3, 5))
        queries.begins(connection, name)


def _show(connection: sqlite3.Connection) -> None:
    for match in queries.find_agencies(connection, "l"):
        queries.agency(connection, match)
    queries.agencies_like(connection, "Pollk")


def _explain(connection: sqlite3.Connection) -> None:
    (event, *_) = explanations.ids_beginning(connection, "e-")
    explanations.explained_event(connection, event)
    for (agreement,) in connection.execute("select public_id from agreement indexed by sqlite_autoindex_agreement_1"):
        explanations.explained_agreement(connection, agreement)


@pytest.mark.parametrize("ask", [_report, _list, _show, _explain])
def test_no_query_walks_a_table_without_an_index(
    connection: sqlite3.Connection, ask: Callable[[sqlite3.Connection], None]
) -> None:
    asked: set[str] = set()
    connection.set_trace_callback(asked.add)
    ask(connection)
    connection.set_trace_callback(None)
    assert asked
    for statement in asked:
        for step in connection.execute(f"explain query plan {statement}"):
            what = step["detail"]
            assert not what.startswith("SCAN") or " INDEX " in what, f"{what} in {statement}"
            assert "AUTOMATIC" not in what, f"{what} in {statement}"


def test_events_come_in_the_order_in_which_ice_posted_them(connection: sqlite3.Connection) -> None:
    told = queries.events(connection, Selection())
    assert [event.published_on for event in told] == sorted(event.published_on for event in told)
    assert len({event.event_id for event in told}) == len(told) == 10


@pytest.mark.parametrize(
    ("selection", "number"),
    [
        (Selection(since=date(2025, 3, 7)), 7),
        (Selection(until=date(2025, 3, 5)), 3),
        (Selection(since=date(2025, 3, 5), until=date(2025, 3, 5)), 3),
        (Selection(states=("TX",)), 0),
        (Selection(states=("TX", "FL")), 10),
        (Selection(models=("Warrant Service Officer",)), 1),
        (Selection(kinds=(Kind.TERMINATED, Kind.NEW)), 6),
        (Selection(list=ListName.PENDING), 0),
        (Selection(statuses=(Status.PROVISIONAL, Status.RETRACTED)), 2),
    ],
)
def test_a_selection_leaves_out_exactly_what_it_says(
    connection: sqlite3.Connection, selection: Selection, number: int
) -> None:
    assert len(queries.events(connection, selection)) == number


def test_an_event_is_in_the_period_in_which_it_was_published_and_in_that_in_which_it_was_told(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(
            Posted("pending", 0, [sheriff("Polk"), sheriff("Orange")]),
            Posted("participating", 0, rows("Bay", "Lee")),
            Posted("pending", 2, [sheriff("Orange")]),
            Posted("participating", 40, rows("Bay", "Lee")),
        )

        def told(since: date, until: date) -> list[str]:
            return [event.kind for event in queries.events(history.connection, Selection(since, until))]

        assert told(date(2025, 3, 5), date(2025, 3, 5)) == ["withdrawn"]
        assert told(date(2025, 4, 12), date(2025, 4, 12)) == ["withdrawn"]
        assert told(date(2025, 3, 6), date(2025, 4, 11)) == []
        assert told(date(2025, 4, 13), date(2025, 4, 30)) == []


def test_a_termination_says_what_the_agency_still_has_on_that_very_list(tmp_path: Path) -> None:
    wso, jem = ({"model": name} for name in ("Warrant Service Officer", "Jail Enforcement Model"))
    rest = rows("Bay", "Lee", "Levy", "Leon")
    with History(tmp_path) as history:
        history.post(
            Posted(
                "participating",
                0,
                [*rest, sheriff("Polk"), sheriff("Polk", **jem), sheriff("Polk", **wso), sheriff("Polk", state="OHIO")],
            ),
            Posted(
                "participating",
                2,
                [*rest, sheriff("Polk", agency="POLK CO SHERIFFS OFFICE", **wso), sheriff("Polk", **jem)],
            ),
            Posted("participating", 4, [*rest, sheriff("Polk", **wso)]),
        )
        events = queries.events(history.connection, Selection(kinds=(Kind.TERMINATED, Kind.CHANGED)))
        by_id = queries.events_by_id(history.connection, [event.event_id for event in events])
    left = {(e.state, e.support_model): e.still_listed for e in events if e.kind is Kind.TERMINATED}
    assert left == {
        ("FL", "Task Force Model"): ("Jail Enforcement Model", "Warrant Service Officer"),
        ("OH", "Task Force Model"): (),
        ("FL", "Jail Enforcement Model"): ("Warrant Service Officer",),
    }
    assert {e.still_listed for e in events if e.kind is Kind.CHANGED} == {None}
    assert {e.event_id: e.still_listed for e in by_id} == {e.event_id: e.still_listed for e in events}


def test_a_switch_of_models_is_still_listed_under_the_new_one(connection: sqlite3.Connection) -> None:
    (lake,) = [
        event
        for event in queries.events(connection, Selection(kinds=(Kind.TERMINATED,)))
        if event.agency.startswith("Lake")
    ]
    assert lake.still_listed == ("Warrant Service Officer",)


def test_the_reach_of_a_report_is_that_of_its_lists_and_its_period(connection: sqlite3.Connection) -> None:
    reach = queries.reach(connection, Selection(date(2025, 3, 5), date(2025, 3, 7)))
    assert reach == Reach("2025-03-03", "2025-03-09", {ListName.PARTICIPATING: 2, ListName.PENDING: 1})
    assert queries.reach(connection, Selection(list=ListName.PENDING)).newest == "2025-03-05"


def test_a_rebuild_and_a_second_half_give_the_same_bytes(tmp_path: Path) -> None:
    def told(history: History) -> str:
        return data.events_json(queries.events(history.connection, Selection()))

    with History(tmp_path / "once") as history:
        history.backfill(write_folder(tmp_path / "all", story.LISTS))
        at_once = told(history)
        history.rebuild()
        assert told(history) == at_once
    with History(tmp_path / "twice") as history:
        history.backfill(write_folder(tmp_path / "early", story.LISTS[:3]))
        history.backfill(write_folder(tmp_path / "late", story.LISTS[3:]))
        assert told(history) == at_once


def test_a_list_has_the_values_that_were_in_force_on_the_day(connection: sqlite3.Connection) -> None:
    def on(day: int) -> dict[str, str | None]:
        standing = queries.standing(connection, ListName.PARTICIPATING, date(2025, 3, day))
        assert standing is not None
        return {item.terms.agency.split()[0]: item.terms.signed_on for item in standing.listed}

    assert on(3)["Bay"] == on(4)["Bay"] == "2025-02-26"
    assert on(5)["Bay"] == "2025-02-25"
    assert "Lee" in on(6)
    assert "Lee" not in on(7)
    assert "Leon" not in on(8)
    assert "Leon" in on(9)


def test_a_day_before_the_history_has_no_list(connection: sqlite3.Connection) -> None:
    assert queries.standing(connection, ListName.PARTICIPATING, date(2025, 3, 2)) is None
    assert queries.begins(connection, ListName.PARTICIPATING) == "2025-03-03"


def test_a_row_entered_twice_is_one_agreement(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay", "Lee", "Lee")))
        standing = queries.standing(history.connection, ListName.PARTICIPATING)
    assert standing is not None
    assert [item.row for item in standing.listed] == [2, 3]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("clay", ["Clay Conty Sheriffs Office"]),
        ("Clay County Sheriff's Office", ["Clay Conty Sheriffs Office"]),
        ("CLAY   county", ["Clay Conty Sheriffs Office"]),
        ("sheriff's lake", ["Lake County Sheriff's Office"]),
        ("ay", []),
        ("", []),
        ("'", []),
        ("le", ["Lee County Sheriff's Office", "Leon County Sheriff's Office", "Levy County Sheriff's Office"]),
    ],
)
def test_an_agency_is_found_by_the_beginnings_of_its_words_and_by_old_spellings(
    connection: sqlite3.Connection, wanted: str, found: list[str]
) -> None:
    assert [match.name for match in queries.find_agencies(connection, wanted)] == found


def test_a_full_name_wins_over_names_that_contain_it(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        names = ("Lake", "Lake Police Department", "Lake Police Department Annex")
        history.post(Posted("participating", 0, [sheriff("Lake", agency=name) for name in names]))
        found = queries.find_agencies(history.connection, "lake police department")
    assert [match.name for match in found] == ["Lake Police Department"]


@pytest.mark.parametrize("wanted", ["Saint Johns", "st johns", "St. Johns Co Sheriff's Office", "saint johns county"])
def test_an_abbreviation_is_the_word_it_stands_for(tmp_path: Path, wanted: str) -> None:
    with History(tmp_path) as history:
        names = ("St. Johns County Sheriff's Office", "Bay County Sheriff's Office")
        history.post(Posted("participating", 0, [sheriff("Bay", agency=name) for name in names]))
        found = queries.find_agencies(history.connection, wanted)
    assert [match.name for match in found] == [names[0]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Pollk", ["Polk County Sheriff's Office"]),
        ("Clya Conty", ["Clay Conty Sheriffs Office"]),
        ("Zzyzx", []),
        ("", []),
    ],
)
def test_a_misspelt_name_has_likely_meanings(connection: sqlite3.Connection, wanted: str, found: list[str]) -> None:
    assert [match.name for match in queries.agencies_like(connection, wanted)] == found


def test_one_name_in_two_states_is_two_agencies(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        both = [sheriff("Lake"), sheriff("Lake", state="OHIO")]
        history.post(Posted("participating", 0, both))
        assert [m.state for m in queries.find_agencies(history.connection, "lake")] == ["FL", "OH"]
        assert [m.state for m in queries.find_agencies(history.connection, "lake", "OH")] == ["OH"]


def test_an_application_in_another_spelling_belongs_to_the_agency_that_signed(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("pending", 0, [sheriff("Polk", agency="Plok County Sheriffs Office"), sheriff("Orange")]))
        history.post(Posted("participating", 0, rows("Bay", "Lee")))
        history.post(Posted("participating", 2, rows("Bay", "Lee", "Polk")))
        (match,) = queries.find_agencies(history.connection, "plok")
        agency = queries.agency(history.connection, match)
    assert match.name == "Polk County Sheriff's Office"
    assert [one.first.list for one in agency.timelines] == ["pending", "participating"]
    assert agency.spellings == ("Plok County Sheriffs Office",)


def test_an_id_needs_no_more_than_tells_it_from_others(connection: sqlite3.Connection) -> None:
    event = queries.events(connection, Selection())[0].event_id
    assert explanations.ids_beginning(connection, event[:8]) == [event]
    assert explanations.ids_beginning(connection, "e-zz") == []
    assert len(explanations.ids_beginning(connection, "a-")) == 6


def test_every_event_has_the_rows_it_rests_on_and_no_link_target(connection: sqlite3.Connection) -> None:
    for event in queries.events(connection, Selection()):
        compared = explanations.explained_event(connection, event.event_id).comparison
        if compared.judgement is None:
            assert (compared.before is None) == (event.kind is Kind.NEW)
            assert (compared.after is None) == (event.kind is Kind.TERMINATED)
        for row in (compared.before, compared.after):
            assert row is None or list(row.cells)[-1] == "ADDENDUM"


def test_an_unknown_id_is_told_from_a_failure(connection: sqlite3.Connection) -> None:
    with pytest.raises(LookupError):
        explanations.explained_event(connection, "e-none")
    with pytest.raises(LookupError):
        explanations.explained_agreement(connection, "a-none")
