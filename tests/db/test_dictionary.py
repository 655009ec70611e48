"""The dictionary says what every view, table and column means, in the code and in every history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db import migrations, schema
from db.connect import SCHEMA_VERSION, open_readonly, open_writable
from db.records import Kind, Outcome, Status, Verdict
from tests.db.histories import CONTRACT


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_writable(tmp_path / "history.db")) as opened:
        yield opened


def test_everything_in_the_schema_is_in_the_dictionary_and_nothing_else(connection: sqlite3.Connection) -> None:
    real = {name: [column.name for column in r.columns] for name, r in schema.relations(connection).items()}

    assert {name: list(described.columns) for name, described in schema.dictionary().items()} == real


def test_the_views_come_first() -> None:
    assert list(schema.dictionary())[:5] == list(CONTRACT)


def test_a_comment_is_a_short_text_that_ends_with_a_full_stop() -> None:
    odd = [c for c in schema.comments() if not (c.comment.endswith(".") and len(c.comment) < 500)]

    assert odd == []


@pytest.mark.parametrize(
    ("view", "column", "closed"),
    [
        ("event_log", "kind", Kind),
        ("event_log", "status", Status),
        ("publication_log", "verdict", Verdict),
        ("check_log", "outcome", Outcome),
    ],
)
def test_a_closed_list_is_given_in_full(view: str, column: str, closed: type[Kind]) -> None:
    comment = schema.dictionary()[view].columns[column]

    assert [word for word in closed if str(word) not in comment] == []


def test_a_history_explains_itself(connection: sqlite3.Connection) -> None:
    found = connection.execute('select object, "column", comment from dictionary').fetchall()

    assert {tuple(row) for row in found} == set(schema.comments())
    (about,) = connection.execute("select comment from dictionary where object = 'event_log' and \"column\" = 'kind'")
    assert about[0].startswith("What happened.")


def test_only_a_dictionary_that_differs_is_written(connection: sqlite3.Connection) -> None:
    def written() -> int:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        migrations.apply(connection, SCHEMA_VERSION)
        connection.set_trace_callback(None)
        return sum("insert into dictionary" in statement for statement in asked)

    assert written() == 0
    connection.execute("update dictionary set comment = '' where object = 'event_log'")
    assert written() == 1
    assert written() == 0
    assert {tuple(row) for row in connection.execute("select * from dictionary")} == set(schema.comments())


def test_reading_writes_no_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(open_writable(path)) as connection:
        connection.execute("delete from dictionary")
    with closing(open_readonly(path)) as connection:
        assert connection.execute("select count(*) from dictionary").fetchone()[0] == 0


def test_every_foreign_key_leads_to_a_column_that_is_unique(connection: sqlite3.Connection) -> None:
    known = schema.relations(connection)
    keys = [(name, key) for name, relation in known.items() for key in relation.foreign_keys]

    assert len(keys) > 20
    for name, key in keys:
        target = known[key.table]
        assert [c.name for c in target.columns if c.key] == [key.to], (name, key)
    assert connection.execute("pragma foreign_key_check").fetchall() == []


OF_SCHEMA_3 = {
    "event_log": "event_id kind status list detected_at published_on agreement_id state agency county"
    " support_model signed_on pending_since changes workbook_sha256 row previous_workbook_sha256 previous_row"
    " note change_classes status_note status_changed_at related_agreement_id workbook_name"
    " previous_workbook_name sequence agency_id known_at",
    "current_agreements": "agreement_id state agency agency_type county support_model signed_on moa_url"
    " addendum_url printed_state printed_agency printed_type printed_county printed_support_type printed_signed"
    " printed_moa printed_addendum first_listed_on last_published_on workbook_name workbook_sha256 row"
    " agency_id state_fips county_fips county_basis",
    "listing_history": "agreement_id list state agency agency_type county support_model signed_on moa_url"
    " addendum_url valid_from valid_to agency_id state_fips county_fips county_basis known_from known_to"
    " from_workbook_sha256 to_workbook_sha256",
    "publication_log": "list workbook_sha256 file_name first_seen_at last_seen_at published_on dated_by"
    " modified_at rows verdict reason checks known_at sequence",
    "check_log": "started_at finished_at trigger outcome fetched message",
    "current_applications": "application_id state agency agency_type county support_model first_listed_on"
    " last_published_on workbook_name workbook_sha256 row agency_id state_fips county_fips county_basis",
    "agencies": "agency_id state state_name agency former_names agency_type county state_fips county_fips"
    " county_basis county_name agreements_now agreements_ever models_now first_listed_on sequence",
    "listings": "list published_on workbook_sha256 workbook_name row agreement_id duplicate printed_state"
    " printed_agency printed_type printed_county printed_support_type printed_signed printed_moa"
    " printed_addendum known_at publication agency_id",
    "sighting_log": "workbook_sha256 file_name url seen_at last_seen_at last_modified recorded_at list bytes"
    " modified_at archived_at unreadable",
}
"""The views and their columns as they were released: a later schema adds views, and columns at the end."""


@pytest.mark.parametrize("view", OF_SCHEMA_3)
def test_a_view_keeps_the_columns_it_was_released_with(connection: sqlite3.Connection, view: str) -> None:
    columns = [column.name for column in schema.relations(connection)[view].columns]
    released = OF_SCHEMA_3[view].split()

    assert columns[: len(released)] == released
