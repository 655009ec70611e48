"""What is read from every real workbook agrees with openpyxl in its normal mode, cell for cell and link for link."""

import io
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from db.records import ListName
from pipeline.reading.cells import EPOCH_1900, Shared, date_styles, shared_strings
from pipeline.reading.package import Limits, Package
from pipeline.reading.workbook import Hidden, read
from pipeline.reading.worksheet import Worksheet
from tests.archive import archived_workbooks, needs_archive
from tests.workbooks import SHEET, STRINGS, repacked

PARTS = 8

pytestmark = needs_archive


def everything(data: bytes) -> tuple[dict[tuple[int, int], Any], dict[tuple[int, int], str], set[int]]:
    """All values, hyperlink targets and hidden rows of the first worksheet."""
    package = Package(data, Limits())
    shared = Shared(shared_strings(package, STRINGS), *date_styles(package, "xl/styles.xml"), EPOCH_1900)
    sheet = Worksheet(package, SHEET, shared)
    rows = list(sheet.rows())
    cells = {(row.number, column): value for row in rows for column, value in row.cells.items()}
    links = sheet.links(range(1, 5000), range(1, 30))
    return (
        cells,
        {(row, column): target for row, targets in links.items() for column, target in targets.items()},
        {row.number for row in rows if row.hidden},
    )


def everything_by_openpyxl(data: bytes) -> tuple[dict[tuple[int, int], Any], dict[tuple[int, int], str], set[int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    filled = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    cells = {(cell.row, cell.column): cell.value for cell in filled}
    links = {(cell.row, cell.column): cell.hyperlink.target for cell in filled if cell.hyperlink}
    return cells, links, {row for row, _ in cells if sheet.row_dimensions[row].hidden}


@pytest.mark.parametrize("part", range(PARTS))
def test_every_cell_link_and_hidden_row_is_what_openpyxl_reads(part: int) -> None:
    for path in archived_workbooks(part, PARTS):
        data = path.read_bytes()
        cells, links, hidden = everything(data)
        expected_cells, expected_links, expected_hidden = everything_by_openpyxl(data)
        # openpyxl shows a link's target as the value of a blank cell.
        expected_cells = {
            cell: value for cell, value in expected_cells.items() if cell in cells or expected_links.get(cell) != value
        }
        assert cells == expected_cells, path.name
        assert links == expected_links, path.name
        assert hidden == expected_hidden, path.name


def test_rows_read_in_bulk_are_the_rows_that_the_xml_parser_reads() -> None:
    for path in archived_workbooks(0, 12):
        data = path.read_bytes()
        by_parser = repacked(data, {SHEET: lambda xml: xml.replace(b"<sheetData>", b"<!-- --><sheetData>")})
        assert read(by_parser) == read(data), path.name


def test_every_workbook_is_a_list_without_anything_odd() -> None:
    hidden_by_hand: list[tuple[Path, int]] = []
    lists: Counter[ListName] = Counter()
    hidden_by_filter: Counter[ListName] = Counter()
    for path in archived_workbooks():
        sheet = read(path.read_bytes())
        assert sheet.modified
        assert (sheet.notes, sheet.unknown_columns, sheet.missing_columns) == ((), (), ()), path.name
        lists[sheet.list] += 1
        hidden = Counter(row.hidden for row in sheet.rows)
        hidden_by_filter[sheet.list] += hidden[Hidden.BY_FILTER] > 0
        if hidden[Hidden.BY_HAND]:
            assert sheet.list is ListName.PENDING
            hidden_by_hand.append((path, hidden[Hidden.BY_HAND]))
    assert lists == {ListName.PARTICIPATING: 170, ListName.PENDING: 214}
    assert [count for _, count in hidden_by_hand] == [4] * 16
    assert hidden_by_filter == {ListName.PARTICIPATING: 10, ListName.PENDING: 7}
