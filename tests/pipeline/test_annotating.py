"""Agencies and counties in the history: there after every way of making it, mended where a run was interrupted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from db.connect import transaction
from pipeline import annotating
from pipeline.reading import gazetteer
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff, story, write_folder

ALACHUA = "fl-alachua-county-sheriffs-office"


def found(connection: sqlite3.Connection, query: str, *values: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(query, values)]


def unplaced(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "select (select count(*) from agreement where agency_id is null)"
        " + (select count(*) from version where county_basis is null)"
    ).fetchone()
    return int(row[0])


def test_every_agreement_and_application_has_an_agency_and_every_value_a_place(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(tmp_path / "posted", story()))

        assert unplaced(history.connection) == 0
        ((all_of_them, placed),) = found(
            history.connection, "select count(*), sum(substr(county_fips, 1, 2) = state_fips) from current_agreements"
        )
        assert placed == all_of_them > 0
        assert found(
            history.connection,
            "select state, state_name, agency, state_fips, county_fips, county_basis, county_name from agencies"
            " where agency_id = ?",
            ALACHUA,
        ) == [("FL", "Florida", "Alachua County Sheriff's Office", "12", "12001", "listed", "Alachua County")]


def test_a_rebuild_and_lists_that_come_one_by_one_give_the_same_agencies(tmp_path: Path) -> None:
    query = "select * from agencies order by agency_id"
    with History(tmp_path / "one") as history:
        history.backfill(write_folder(tmp_path / "posted", story()))
        at_once = history.table("agencies")
        history.rebuild()
        assert history.table("agencies") == at_once
        assert unplaced(history.connection) == 0
    with History(tmp_path / "two") as history:
        history.post(*story())
        assert history.table("agencies") == at_once
        assert found(history.connection, query)


def test_an_agency_that_ICE_respells_keeps_its_id_and_is_found_by_both_names(tmp_path: Path) -> None:  # noqa: N802
    with History(tmp_path) as history:
        history.post(
            Posted("participating", 0, [*rows(*COUNTIES[:20]), sheriff("Lake", agency="Lake County Sherriffs Offic")]),
            Posted("participating", 1, rows(*COUNTIES[:20], "Lake")),
        )

        search = (
            "select public_id, name, former_names from agency"
            " where id in (select rowid from agency_search where agency_search match ?)"
        )
        expected = [
            ("fl-lake-county-sherriffs-offic", "Lake County Sheriff's Office", '["Lake County Sherriffs Offic"]')
        ]
        assert found(history.connection, search, "sherriffs") == expected
        assert found(history.connection, search, "lake") == expected


def test_an_interrupted_run_is_made_good_by_the_next_though_nothing_is_new(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill() -> None:
        raise KilledError

    folder = write_folder(tmp_path / "posted", story())
    with History(tmp_path) as history:
        history.take_in(folder)
        for _ in range(3):
            with pytest.raises(KilledError):
                history.historian(kill).derive()
        assert unplaced(history.connection) > 0
        history.historian().derive()
        assert unplaced(history.connection) == 0

        history.connection.execute("update agreement set agency_id = null")
        history.connection.execute("delete from setting where name = 'annotated'")
        history.historian().derive()
        assert unplaced(history.connection) == 0


def test_another_edition_of_the_places_is_applied_with_the_next_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows(*COUNTIES[:20])))
        elsewhere = gazetteer.Whereabouts(None, gazetteer.Basis.UNKNOWN)
        monkeypatch.setattr(annotating, "_edition", lambda: "another")
        monkeypatch.setattr(gazetteer, "locate", lambda *_: elsewhere)
        history.post(Posted("participating", 1, rows(*COUNTIES[:21])))

        assert found(history.connection, "select distinct county_fips, county_basis from version") == [
            (None, "unknown")
        ]


def test_an_agencys_county_its_code_and_why_are_of_one_agreement(tmp_path: Path) -> None:
    """Yoakum's police stood under Lavaca County, where it is, and then, as a county's, under Yoakum, where not."""
    police = {"STATE": "TEXAS", "LAW ENFORCEMENT AGENCY": "Yoakum Police Department"}
    with History(tmp_path) as history:
        history.post(
            Posted("pending", 0, [sheriff("", **police, COUNTY="Lavaca County", TYPE="Municipality")]),
            Posted("participating", 0, rows(*COUNTIES[:20])),
            Posted("participating", 1, [*rows(*COUNTIES[:20]), sheriff("", **police, COUNTY="Yoakum County")]),
        )

        query = "select county, county_fips, county_basis, county_name from agencies where agency_id like 'tx-%'"
        assert found(history.connection, query) == [("Lavaca County", "48285", "listed", "Lavaca County")]


def test_done_again_it_writes_nothing(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(tmp_path / "posted", story()))
        before = history.connection.total_changes
        with transaction(history.connection):
            annotating.annotate(history.connection)

        assert history.connection.total_changes - before == 1  # that it was done
