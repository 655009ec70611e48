"""For any text: no field of a CSV file is a formula, and what was done about it can be undone."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipeline.publish.exports import delimited, workbook
from pipeline.publish.exports.delimited import GUARD, guarded, unguarded
from pipeline.publish.exports.reading import Content, Edition
from pipeline.publish.exports.tables import Column, Table, Type

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
texts = st.text(st.characters(codec="utf-8")) | st.text(st.sampled_from("'=+-@\t\r\n\",;a"))


@given(texts)
@example("'=1+1")
@example("''=1+1")
@example("'")
@example("O'Brien")
def test_a_guarded_text_is_no_formula_and_can_be_undone(text: str) -> None:
    assert not guarded(text).startswith(FORMULA)
    assert unguarded(guarded(text)) == text


@given(texts)
def test_the_rule_in_the_datapackage_undoes_it_too(text: str) -> None:
    field = guarded(text)
    assert (field[1:] if re.search(GUARD["pattern"], field) else field) == text


@given(st.none() | st.integers() | st.floats(allow_nan=False))
def test_numbers_are_as_they_are(value: float | None) -> None:
    assert guarded(value) is value


@given(st.lists(st.tuples(texts, st.none() | texts.filter(bool)), max_size=5))
def test_any_text_comes_back_from_a_csv_file(rows: list[tuple[str, str | None]]) -> None:
    table = _table(Column("a"), Column("b", optional=True))
    header, *found = csv.reader(io.StringIO(delimited.render(table, rows).decode(), newline=""), strict=True)
    assert header == ["a", "b"]
    assert [(unguarded(a), unguarded(b) if b else None) for a, b in found] == rows


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.from_regex(r"_x[0-9A-F]{4}_", fullmatch=True), max_size=8))
def test_any_text_comes_back_from_a_sheet(values: list[str]) -> None:
    """As Excel reads it: openpyxl leaves the escapes of ECMA-376 as they are."""
    table = _table(Column("a"))
    edition = Edition(None, "2025-03-03T14:00:00Z", {}, {})
    data = workbook.render([Content(table, [(value,) for value in values], "", {"a": ""})], edition, ())
    sheet = load_workbook(io.BytesIO(data))["t"]
    cells = [sheet.cell(number, 1) for number in range(2, len(values) + 2)]
    assert [_unescaped(str(cell.value)) if cell.value is not None else "" for cell in cells] == values
    assert {cell.data_type for cell in cells} <= {"s", "n"}


@pytest.mark.parametrize("text", ["a" * 40_000, "🚔" * 20_000, "a\x07" * 20_000, "aa\x07" * 20_000, "_x0041_" * 9_000])
def test_a_text_too_long_for_a_cell_is_cut_between_characters_and_it_is_said(text: str) -> None:
    table = _table(Column("a"))
    edition = Edition(None, "2025-03-03T14:00:00Z", {}, {})
    book = load_workbook(io.BytesIO(workbook.render([Content(table, [(text,)], "", {"a": ""})], edition, ())))
    cell = str(book["t"]["A2"].value)
    assert len(cell.encode("utf-16-le")) // 2 in range(32_700, 32_768)
    assert text.startswith(_unescaped(cell.removesuffix("…")))
    assert any(
        "longer than a cell can hold and end in …: row 2, a;" in str(r[1].value) for r in book["about"].iter_rows()
    )


def test_dates_before_excels_calendar_are_texts() -> None:
    table = _table(Column("a", Type.DATE))
    edition = Edition(None, "2025-03-03T14:00:00Z", {}, {})
    rows = [("0025-03-03",), ("1900-02-28",), ("1900-03-01",), ("5025-07-07",)]
    data = workbook.render([Content(table, rows, "", {"a": ""})], edition, ())
    sheet = load_workbook(io.BytesIO(data))["t"]
    assert [str(sheet.cell(number, 1).value) for number in range(2, 6)] == [
        "0025-03-03",
        "1900-02-28",
        "1900-03-01 00:00:00",
        "5025-07-07 00:00:00",
    ]


def test_a_sheet_has_no_more_links_than_excel_allows() -> None:
    table = _table(Column("moa_url"))
    edition = Edition(None, "2025-03-03T14:00:00Z", {}, {})
    rows = [("https://www.ice.gov/a.pdf",)] * (workbook.MOST_LINKS + 2)
    data = workbook.render([Content(table, rows, "", {"moa_url": ""})], edition, ("ice.gov",))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheet, about = package.read("xl/worksheets/sheet2.xml"), package.read("xl/worksheets/sheet1.xml")
    assert sheet.count(b"https://www.ice.gov/a.pdf") == len(rows)
    assert sheet.count(b"<hyperlink ") == workbook.MOST_LINKS
    assert b"2 addresses of the sheet t are texts" in about


def _unescaped(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def _table(*columns: Column) -> Table:
    return Table("t", "t", "", columns, "", (), ())
