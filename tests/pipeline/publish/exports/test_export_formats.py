"""Every format is read back, by programs that are not ours, with the values and types of the history."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pytest
from geojson_pydantic import FeatureCollection
from openpyxl import load_workbook
from pyarrow import parquet

from pipeline.publish.exports.tables import TABLES, Table, Type
from tests.pipeline.publish.exports import exported
from tests.pipeline.publish.exports.exported import HOSTILE, LINKS

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported.write_history(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def folder(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    exported.export(database, folder)
    return folder


def test_the_hostile_texts_are_there(database: Path) -> None:
    names = {row[2] for row in exported.expected(database, exported.BY_NAME["agreements"])}
    assert names >= set(HOSTILE)


@each_table
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_duckdb_reads_what_the_history_has(database: Path, folder: Path, table: Table, form: str) -> None:
    assert exported.by_duckdb(table, folder / f"{table.name}.{form}") == exported.expected(database, table)


@each_table
def test_python_reads_the_csv_that_the_history_has(database: Path, folder: Path, table: Table) -> None:
    data = (folder / f"{table.name}.csv").read_bytes()
    assert exported.csv_by_python(table, data) == exported.expected(database, table)


@each_table
def test_json_lines_have_every_column_and_objects_as_objects(database: Path, folder: Path, table: Table) -> None:
    lines = (folder / f"{table.name}.jsonl").read_text("ascii").splitlines()
    names = [column.name for column in table.columns]
    assert [list(json.loads(line)) for line in lines] == [names] * len(lines)
    assert [tuple(json.loads(line).values()) for line in lines] == exported.expected(database, table)


@each_table
def test_parquet_has_the_types_and_descriptions_of_the_schema(folder: Path, table: Table) -> None:
    types = {Type.DATE: pyarrow.date32(), Type.MOMENT: pyarrow.timestamp("ms", "UTC")} | {
        Type.INTEGER: pyarrow.int64(),
        Type.NUMBER: pyarrow.float64(),
    }
    schema = parquet.read_schema(folder / f"{table.name}.parquet")
    assert [(one.name, one.type, one.nullable) for one in schema] == [
        (column.name, types.get(column.type, pyarrow.string()), column.optional) for column in table.columns
    ]
    assert not schema.metadata
    if table.name == "events":
        assert schema.field("kind").metadata == {b"description": b"What happened."}


def _in_a_sheet(value: object) -> object:
    """What a cell holds: texts as Excel escapes them, and at most as long as it allows."""
    if not isinstance(value, str):
        return value
    short = value if len(value) <= 32_767 else value[:32_766] + "…"
    bare = short.replace("_x000D_", "_x005F_x000D_").replace("_x0041_", "_x005F_x0041_")
    for character in "\r\x07\x1b\x1f":
        bare = bare.replace(character, f"_x{ord(character):04X}_")
    return bare


@each_table
def test_openpyxl_reads_what_the_history_has(database: Path, folder: Path, table: Table) -> None:
    rows = exported.expected(database, table)
    wanted = [tuple(_in_a_sheet(value) for value in row) for row in rows]
    assert exported.by_openpyxl(table, load_workbook(folder / "watch287g.xlsx")) == wanted


@each_table
def test_a_sheet_has_its_header_frozen_and_a_filter(folder: Path, table: Table) -> None:
    sheet = load_workbook(folder / "watch287g.xlsx")[table.name]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert all(9 <= one.width <= 50 for one in sheet.column_dimensions.values())


def test_only_documents_on_the_right_hosts_are_links(folder: Path) -> None:
    sheet = load_workbook(folder / "watch287g.xlsx")["agreements"]
    column = next(cell.column for cell in sheet[1] if cell.value == "moa_url")
    cells = [sheet.cell(row, column) for row in range(2, sheet.max_row + 1)]
    texts = {cell.value for cell in cells if cell.value}
    linked = {cell.value: cell.hyperlink.target for cell in cells if cell.hyperlink}
    assert texts >= set(LINKS)
    assert all(text == target and text.startswith("https://www.ice.gov/") for text, target in linked.items())
    assert LINKS[0] in linked


def test_the_first_sheet_says_what_it_is_and_what_was_cut(folder: Path) -> None:
    book = load_workbook(folder / "watch287g.xlsx")
    assert book.sheetnames == ["about", *(table.name for table in TABLES)]
    lines = [tuple(cell for cell in row if cell) for row in book["about"].iter_rows(values_only=True)]
    told = {line[0]: line[1] for line in lines if len(line) == 2}
    assert "participatingAgencies03092025am.xlsx" in told["participating list"]
    assert "public domain" in told["Licence"]
    assert any("longer than a cell can hold" in line[1] for line in lines if line and line[0] == "Note")
    assert ("events", "kind", "text", "What happened.") in lines
    assert next(line for line in lines if "latitude" in line)[:3] == ("agreements", "latitude", "number")


def test_the_workbook_says_nothing_of_the_moment_it_was_made(folder: Path) -> None:
    properties = load_workbook(folder / "watch287g.xlsx").properties
    assert properties.created == properties.modified
    assert f"{properties.created:%Y-%m-%d}" == "2025-03-09"


def test_the_map_has_a_point_for_every_agreement(database: Path, folder: Path) -> None:
    data = (folder / "agreements.geojson").read_text("ascii")
    features = FeatureCollection.model_validate_json(data).features
    rows = exported.expected(database, exported.BY_NAME["agreements"])
    assert [feature.id for feature in features] == [row[0] for row in rows]
    names = [column.name for column in exported.BY_NAME["agreements"].columns]
    for feature, row in zip(features, rows, strict=True):
        record = dict(zip(names, row, strict=True))
        assert feature.geometry is not None
        assert feature.geometry.coordinates[:2] == (record["longitude"], record["latitude"])
        assert feature.properties["location"] == ("county" if record["county_fips"] else "state")
