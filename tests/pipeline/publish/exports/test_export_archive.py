"""The export of the whole archive of real workbooks."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from datetime import date
from pathlib import Path

import frictionless
import pytest
from geojson_pydantic import FeatureCollection
from openpyxl import Workbook, load_workbook

from db.connect import open_readonly
from db.records import ListName
from pipeline import queries
from pipeline.publish.exports.tables import TABLES, Table
from tests.archive import needs_archive
from tests.pipeline.publish.exports import exported
from tests.pipeline.test_backfill import whole  # noqa: F401 - a fixture

pytestmark = needs_archive

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@pytest.fixture(scope="module")
def database(whole: Path) -> Path:  # noqa: F811
    return whole / "history.db"


@pytest.fixture(scope="module")
def folder(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    exported.export(database, folder)
    return folder


@pytest.fixture(scope="module")
def book(folder: Path) -> Workbook:
    return load_workbook(folder / "watch287g.xlsx")


@each_table
def test_all_of_it_is_read_back(database: Path, folder: Path, book: Workbook, table: Table) -> None:
    rows = exported.expected(database, table)
    for form in ("csv", "jsonl", "parquet"):
        assert exported.by_duckdb(table, folder / f"{table.name}.{form}") == rows
    assert exported.by_openpyxl(table, book) == rows


@each_table
def test_it_is_the_view(database: Path, table: Table) -> None:
    columns = [(number, column.name) for number, column in enumerate(table.columns) if not column.description]
    with closing(open_readonly(database)) as connection:
        names = ", ".join(f'"{name}"' for _, name in columns)
        view = [tuple(row) for row in connection.execute(f"select {names} from {table.view}")]  # noqa: S608
    raw = exported.stored(database, table)
    assert sorted((tuple(row[number] for number, _ in columns) for row in raw), key=repr) == sorted(view, key=repr)


def test_the_datapackage_and_the_map_are_valid(folder: Path) -> None:
    assert frictionless.validate(folder / "datapackage.json").flatten(["name", "rowNumber", "message"]) == []
    features = FeatureCollection.model_validate_json((folder / "agreements.geojson").read_text("ascii")).features
    assert len(features) == 1_245
    points = [feature.geometry.coordinates for feature in features if feature.geometry]
    assert len(points) == len(features)
    assert all(
        13 < latitude < 72 and (-170 < longitude < -64 or 144 < longitude < 147) for longitude, latitude in points
    )


@pytest.mark.parametrize("on", [date(2025, 3, 1), date(2025, 6, 1), date(2025, 9, 8), date(2025, 12, 31)])
def test_a_date_gives_the_list_of_that_day(database: Path, tmp_path: Path, on: date) -> None:
    exported.export(database, tmp_path, formats=["csv"], tables=["agreements"], as_of=on)
    with closing(open_readonly(database)) as connection:
        standing = queries.standing(connection, ListName.PARTICIPATING, on)
    assert standing is not None
    with (tmp_path / "agreements.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["agreement_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == standing.whole
    for item in standing.listed:
        row = rows[item.terms.agreement_id]
        assert (row["agency"], row["row"]) == (item.terms.agency, str(item.row))
        assert row["workbook_sha256"] == standing.source.workbook_sha256
    assert json.loads((tmp_path / "datapackage.json").read_text())["asOf"] == on.isoformat()
