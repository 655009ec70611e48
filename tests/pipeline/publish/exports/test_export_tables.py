"""The schema of the exports is that of the public views, and a date gives what ICE listed then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import date, timedelta
from sqlite3 import Connection
from typing import Any

import pytest

from db.connect import open_readonly
from db.records import ListName
from pipeline import queries
from pipeline.publish.exports.reading import Edition, content, edition
from pipeline.publish.exports.tables import AGENCIES, AGREEMENTS, APPLICATIONS, EVENTS, HISTORY, TABLES, Table
from tests.db.histories import FIRST_DAY, History, story, write_folder

DAYS = [FIRST_DAY.date() + timedelta(days=number) for number in (0, 1, 2, 4, 9, 11, 45, 60)]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folder = tmp_path_factory.mktemp("history")
    with History(folder) as history:
        history.backfill(write_folder(folder / "lists", story()))
    with closing(open_readonly(folder / "history.db")) as opened:
        yield opened


def of(connection: Connection, on: date | None = None) -> Edition:
    found = edition(connection, on)
    assert found is not None
    return found


def records(connection: Connection, table: Table, on: date | None = None) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in content(connection, table, of(connection, on)).rows]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_of_its_view_and_says_what_the_others_are(connection: Connection, table: Table) -> None:
    view = [row[1] for row in connection.execute(f"pragma table_info({table.view})")]
    ours = [column.name for column in table.columns if not column.description]
    assert sorted(ours) == sorted(name for name in view if name != "sequence")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_rows_of_its_view(connection: Connection, table: Table) -> None:
    names = [column.name for column in table.columns if not column.description]
    columns = ", ".join(f'"{name}"' for name in names)
    view = [tuple(row) for row in connection.execute(f"select {columns} from {table.view}")]  # noqa: S608
    ours = [tuple(row[name] for name in names) for row in records(connection, table)]
    assert ours
    assert sorted(ours, key=repr) == sorted(view, key=repr)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_key_tells_every_row_apart(connection: Connection, table: Table) -> None:
    keys = [tuple(row[name] for name in table.key) for row in records(connection, table)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_only_optional_columns_are_null(connection: Connection, table: Table) -> None:
    required = [column.name for column in table.columns if not column.optional]
    assert [row for row in records(connection, table) if any(row[name] is None for name in required)] == []


@pytest.mark.parametrize("on", [None, *DAYS])
@pytest.mark.parametrize(
    ("table", "list_name"), [(AGREEMENTS, ListName.PARTICIPATING), (APPLICATIONS, ListName.PENDING)]
)
def test_a_date_gives_the_list_of_that_day(
    connection: Connection, table: Table, list_name: ListName, on: date | None
) -> None:
    standing = queries.standing(connection, list_name, on)
    assert standing is not None
    listed = [
        {**asdict(item.terms), "first_listed_on": item.first_listed_on, "row": item.row} for item in standing.listed
    ]
    exported = [
        {("agreement_id" if name == "application_id" else name): value for name, value in row.items()}
        for row in records(connection, table, on)
    ]
    wanted = [{name: value for name, value in one.items() if name in exported[0]} for one in listed]
    ours = [{name: row[name] for name in wanted[0]} for row in exported]
    assert sorted(ours, key=repr) == sorted(wanted, key=repr)
    assert {row["workbook_sha256"] for row in exported} == {standing.source.workbook_sha256}


@pytest.mark.parametrize("on", DAYS)
def test_events_and_history_end_on_the_date(connection: Connection, on: date) -> None:
    day = on.isoformat()
    whole = {row["event_id"] for row in records(connection, EVENTS) if row["published_on"] <= day}
    assert {row["event_id"] for row in records(connection, EVENTS, on)} == whole
    history = records(connection, HISTORY, on)
    assert max(row["valid_from"] for row in history) <= day
    assert all(row["valid_to"] is None or row["valid_to"] <= day for row in history)
    in_force = {row["agreement_id"] for row in history if row["valid_to"] is None and row["list"] == "participating"}
    assert in_force == {row["agreement_id"] for row in records(connection, AGREEMENTS, on)}


@pytest.mark.parametrize("on", DAYS)
def test_agencies_have_the_numbers_of_the_date(connection: Connection, on: date) -> None:
    now: dict[str, int] = {}
    for row in records(connection, AGREEMENTS, on):
        now[row["agency_id"]] = now.get(row["agency_id"], 0) + 1
    agencies = records(connection, AGENCIES, on)
    assert {row["agency_id"]: row["agreements_now"] for row in agencies if row["agreements_now"]} == now
    assert all(row["agreements_now"] <= row["agreements_ever"] for row in agencies)


def test_before_the_first_list_there_is_no_edition(connection: Connection) -> None:
    assert edition(connection, date(2020, 1, 1)) is None
