"""Workbook bytes -> the list in them, for what ICE and Excel are known or allowed to do."""
# ruff: noqa: DTZ001 - a cell has no time zone

import io
import pickle
import re
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from db.records import ListName
from pipeline.reading import cells
from pipeline.reading.workbook import FIELDS, Hidden, Reason, Sheet, Unreadable, Value, read
from tests.workbooks import (
    PARTICIPATING,
    PENDING,
    SHEET,
    STRINGS,
    fill,
    participating,
    pending,
    repacked,
    saved,
    without,
    workbook,
)

ROWS = [("UTAH", "Kane County Sheriff's Office"), ("OHIO", "Lake County Sheriff's Office")]


def agencies(sheet: Sheet) -> list[Value]:
    return [row.values["agency"] for row in sheet.rows]


def with_sheet(data: bytes, old: str, new: str) -> bytes:
    """The workbook with its first sheet's XML changed in one place."""

    def change(xml: bytes) -> bytes:
        assert old.encode() in xml
        return xml.replace(old.encode(), new.encode(), 1)

    return repacked(data, {SHEET: change})


def two_sheets(first: list[Any], second: list[Any], **states: str) -> bytes:
    book = Workbook()
    fill(book.worksheets[0], first, PENDING)
    fill(book.create_sheet("Copy"), second, PENDING)
    for title, state in states.items():
        book[title].sheet_state = state
    return saved(book)


def test_signed_tells_the_lists_apart_whatever_the_file_is_called() -> None:
    assert read(participating(ROWS)).list is ListName.PARTICIPATING
    assert read(pending(ROWS)).list is ListName.PENDING


def test_columns_are_found_in_any_order_case_and_spacing() -> None:
    printed = (
        "addendum",
        " Law  Enforcement\nAgency",
        "DATE\xa0SIGNED",
        "Support-Type",
        "State ",
        "MOA",
        "county",
        "Type",
    )
    sheet = read(workbook([{printed[1]: "A", printed[4]: "UTAH"}], columns=printed))
    assert set(sheet.columns) == set(FIELDS)
    assert sheet.columns["agency"] == " Law  Enforcement\nAgency"
    assert (sheet.rows[0].values["agency"], sheet.rows[0].values["state"]) == ("A", "UTAH")
    assert (sheet.missing_columns, sheet.unknown_columns, sheet.notes) == ((), (), ())


def test_a_header_below_a_title_is_found_and_rows_keep_their_worksheet_numbers() -> None:
    sheet = read(pending(ROWS, above=[("287(g) pending agencies",), (), ("as of", datetime(2025, 7, 1))]))
    assert sheet.header_row == 4
    assert [row.row for row in sheet.rows] == [5, 6]


def test_a_header_after_twenty_rows_is_no_header() -> None:
    assert read(pending(ROWS, above=[("x",)] * 19)).header_row == 20
    with pytest.raises(Unreadable) as caught:
        read(pending(ROWS, above=[("x",)] * 20))
    assert caught.value.reason is Reason.NO_SHEET_FITS


def test_a_misspelt_header_is_read_and_noted() -> None:
    sheet = read(
        workbook([("UTAH", "A", "County", "Kane", "JEM", "x")], columns=(*PENDING[:4], "SUPORT TPYE", "SINGED"))
    )
    assert sheet.columns["model"] == "SUPORT TPYE"
    assert sheet.list is ListName.PARTICIPATING
    assert sheet.notes == ("header 'SUPORT TPYE' is read as 'SUPPORT TYPE'", "header 'SINGED' is read as 'SIGNED'")


def test_a_header_that_resembles_a_column_that_is_there_is_not_taken_for_it() -> None:
    sheet = read(workbook([], columns=(*PENDING, "STATES?", "COUNTRY", "MODE")))
    assert sheet.unknown_columns == ("COUNTRY", "MODE")


def test_missing_and_unknown_columns_are_named() -> None:
    sheet = read(workbook(ROWS, columns=("STATE", "LAW ENFORCEMENT AGENCY", "REMARKS")))
    assert sheet.missing_columns == ("model",)
    assert sheet.unknown_columns == ("REMARKS",)
    assert {field for field, value in sheet.rows[0].values.items() if value} == {"state", "agency"}


def test_a_list_without_a_state_column_is_still_the_list() -> None:
    sheet = read(workbook([("A",)], columns=PARTICIPATING[1:]))
    assert (sheet.list, sheet.missing_columns) == (ListName.PARTICIPATING, ("state",))


def test_values_under_no_header_are_noted() -> None:
    sheet = read(with_sheet(pending(ROWS), '<c r="E2"', '<c r="H2"><v>7</v></c><c r="E2"'))
    assert sheet.notes == ("column H has no header and 1 values; ignored",)


def test_of_two_columns_with_one_name_the_one_with_values_is_read() -> None:
    book = Workbook()
    fill(book.worksheets[0], [], (*PENDING[:3], "COUNTY", "COUNTY", "SUPPORT TYPE"))
    book.worksheets[0].append(["UTAH", "A", "County", None, "Kane", "JEM"])
    sheet = read(saved(book))
    assert sheet.rows[0].values["county"] == "Kane"
    assert sheet.notes == ("columns D 'COUNTY', E 'COUNTY' are the same; the one with values is read",)


def test_two_columns_with_one_name_and_values_in_both_are_refused() -> None:
    with pytest.raises(Unreadable, match=r"D 'COUNTY', E 'COUNTY' all hold values") as caught:
        read(workbook(ROWS, columns=(*PENDING[:3], "COUNTY", "COUNTY", "SUPPORT TYPE")))
    assert caught.value.reason is Reason.DUPLICATE_COLUMNS


def test_a_sheet_without_the_header_is_passed_over() -> None:
    book = Workbook()
    book.worksheets[0].append(["Notes"])
    fill(book.create_sheet("📋 <the> 'list' & more"), ROWS, PENDING)
    sheet = read(saved(book))
    assert (sheet.title, len(sheet.rows), sheet.notes) == ("📋 <the> 'list' & more", 2, ())


def test_a_copy_of_the_sheet_or_an_empty_form_of_it_is_ignored_and_noted() -> None:
    assert read(two_sheets(ROWS, ROWS)).notes == ("sheet 'Copy' has the header too, with the same rows; ignored",)
    assert read(two_sheets(ROWS, [])).notes == ("sheet 'Copy' has the header too, with no rows; ignored",)
    emptied = read(two_sheets([], ROWS))
    assert (emptied.title, emptied.notes) == ("Copy", ("sheet 'Sheet' has the header too, with no rows; ignored",))


def test_two_sheets_that_differ_are_refused() -> None:
    with pytest.raises(Unreadable, match="'Sheet' and 'Copy'") as caught:
        read(two_sheets(ROWS, ROWS[:1]))
    assert caught.value.reason is Reason.AMBIGUOUS_SHEETS


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_counts_only_where_no_visible_one_fits(state: str) -> None:
    assert agencies(read(two_sheets(ROWS, ROWS[:1], Copy=state))) == [row[1] for row in ROWS]

    def hide(book: Workbook) -> None:
        book.worksheets[0].sheet_state = state
        book.create_sheet("Front").append(["see below"])

    sheet = read(pending(ROWS, change=hide))
    assert agencies(sheet) == [row[1] for row in ROWS]
    assert sheet.notes == ("sheet 'Sheet1' is hidden, and the only one that fits",)


def test_blank_rows_and_formatted_rows_below_the_list_are_dropped() -> None:
    blank = dict.fromkeys(PENDING) | {"COUNTY": " \xa0 "}
    data = pending([ROWS[0], blank, ROWS[1]])
    data = with_sheet(data, "</sheetData>", '<row r="900"><c r="A900" s="0"/></row><row r="901" ht="9"/></sheetData>')
    assert [row.row for row in read(data).rows] == [2, 4]


def test_a_list_may_have_no_rows() -> None:
    assert read(pending([])).rows == ()


def test_rows_hidden_by_a_filter_are_data_and_rows_hidden_by_hand_are_marked() -> None:
    filtered = read(participating(ROWS, hidden_rows=[2], filter_column=4))
    assert [row.hidden for row in filtered.rows] == [Hidden.BY_FILTER, Hidden.NO]
    by_hand = read(participating(ROWS, hidden_rows=[2]))
    assert [row.hidden for row in by_hand.rows] == [Hidden.BY_HAND, Hidden.NO]


def test_a_filter_is_also_an_advanced_one_or_that_of_a_table_but_not_that_of_a_saved_view() -> None:
    data = pending(ROWS, hidden_rows=[2])
    advanced = with_sheet(data, "<sheetPr>", '<sheetPr filterMode="1">')
    view = "<customSheetView><autoFilter><filterColumn/></autoFilter></customSheetView>"
    saved_view = with_sheet(data, "</sheetData>", f"</sheetData><customSheetViews>{view}</customSheetViews>")
    table = repacked(
        data,
        {
            "xl/worksheets/_rels/sheet1.xml.rels": b'<Relationships><Relationship Id="t" Type="x/table" '
            b'Target="../tables/table1.xml"/></Relationships>',
            "xl/tables/table1.xml": b'<table><autoFilter><filterColumn colId="1"/></autoFilter></table>',
        },
    )
    hidden = [read(variation).rows[0].hidden for variation in (advanced, table, saved_view)]
    assert hidden == [Hidden.BY_FILTER, Hidden.BY_FILTER, Hidden.BY_HAND]


def test_cells_under_a_merged_one_read_as_blank() -> None:
    data = with_sheet(pending(ROWS), "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells>')
    sheet = read(data)
    assert [row.values["state"] for row in sheet.rows] == ["UTAH", None]
    assert sheet.notes == ("1 cells are covered by merged ones, and read as blank",)


def test_links_are_targets_as_stored_by_field() -> None:
    target = "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fice.gov%2Fa.pdf&data=05%7C01"
    sheet = read(participating(ROWS, links={"G2": target, "H3": "https:/www.ice.gov/b.pdf"}))
    assert [row.links for row in sheet.rows] == [{"moa": target}, {"addendum": "https:/www.ice.gov/b.pdf"}]


@pytest.mark.parametrize("reference", ["G2:G3", "A1:XFD1048576", "G1:G1048576"])
def test_a_link_over_a_range_holds_for_each_cell_of_the_list_in_it(reference: str) -> None:
    data = with_sheet(participating(ROWS, links={"G2": "https://ice.gov/a.pdf"}), 'ref="G2"', f'ref="{reference}"')
    assert [row.links["moa"] for row in read(data).rows] == ["https://ice.gov/a.pdf"] * 2


def test_a_link_that_leads_nowhere_is_noted() -> None:
    data = participating(ROWS, links={"G2": "https://ice.gov/a.pdf"})
    sheet = read(with_sheet(data, 'r:id="rId1"', 'r:id="rId99"'))
    assert (sheet.rows[0].links, sheet.notes) == ({}, ("1 hyperlinks that lead nowhere",))


def cell(xml: str) -> Value:
    """The value of a cell, given as XML, in the SIGNED column of a row."""
    data = with_sheet(participating([ROWS[0]]), '<c r="F2" s="1" t="n"><v>45720</v></c>', xml)
    return read(data).rows[0].values["signed"]


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ('<c r="F2" s="1"><v>45720</v></c>', datetime(2025, 3, 4)),
        ('<c r="F2" s="1"><v>45720.75</v></c>', datetime(2025, 3, 4, 18)),
        ('<c r="F2" s="1"><v>0.5</v></c>', time(12)),
        ('<c r="F2" s="1"><v>1141572</v></c>', datetime(5025, 7, 7)),
        ('<c r="F2" s="1"><v>1e300</v></c>', 1e300),
        ('<c r="F2"><v>45720</v></c>', 45720),
        ('<c r="F2"><v>-1.5E-3</v></c>', -0.0015),
        ('<c r="F2"><v>1_000</v></c>', "1_000"),
        ('<c r="F2"><v>nan</v></c>', "nan"),
        ('<c r="F2"><v>' + "9" * 5000 + "</v></c>", "9" * 5000),
        ('<c r="F2" t="b"><v>1</v></c>', True),
        ('<c r="F2" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="F2" t="d"><v>2025-03-04</v></c>', date(2025, 3, 4)),
        ('<c r="F2" t="d"><v>2025-03-04T18:00:00Z</v></c>', datetime(2025, 3, 4, 18)),
        ('<c r="F2" t="d"><v>4 March</v></c>', "4 March"),
        ('<c r="F2" t="str"><f>A1&amp;"x"</f><v> a &amp; b </v></c>', " a & b "),
        ('<c r="F2" t="inlineStr"><is><r><t>05/</t></r><r><t>08</t></r><rPh><t>no</t></rPh></is></c>', "05/08"),
        ('<c r="F2" t="inlineStr"><is><t>a_x000D_b_x005F_x0041_ _xD800_</t></is></c>', "a\rb_x0041_ _xD800_"),
        ('<c r="F2"><v><![CDATA[45720]]></v></c>', 45720),
        ('<c r="F2"><v/></c>', None),
        ("", None),
    ],
)
def test_each_type_of_cell(xml: str, value: Value) -> None:
    assert cell(xml) == value
    assert type(cell(xml)) is type(value)


def test_cells_without_references_follow_one_another() -> None:
    data = repacked(pending(ROWS), {SHEET: lambda xml: re.sub(rb' r="[A-Z]*\d+"', b"", xml)})
    assert read(data).rows == read(pending(ROWS)).rows


def test_formulas_are_read_as_their_saved_values_and_noted() -> None:
    data = with_sheet(pending(ROWS), '<c r="D2"', '<c r="D2" t="str"><f>X1</f><v>Kane</v></c><c r="F2"')
    data = with_sheet(data, '<c r="D3"', '<c r="D3"><f>X1</f></c><c r="G3"')
    sheet = read(data)
    assert [row.values["county"] for row in sheet.rows] == ["Kane", None]
    assert "2 formulas, read as the values that were saved with them" in sheet.notes
    assert "1 formulas without a saved value, read as blank" in sheet.notes


def test_the_date_system_of_1904_is_respected() -> None:
    data = participating([{"SIGNED": datetime(2025, 3, 4)}])
    mac = repacked(data, {"xl/workbook.xml": lambda xml: xml.replace(b"<workbookPr/>", b'<workbookPr date1904="1"/>')})
    assert read(mac).rows[0].values["signed"] == datetime(2029, 3, 5)


def test_rich_text_is_joined_and_phonetic_readings_are_left_out() -> None:
    rich = b"<si><r><t>UT</t></r><r><rPr><b/></rPr><t>AH</t></r><rPh><t>no</t></rPh><phoneticPr/></si>"
    data = repacked(
        pending(ROWS), {STRINGS: lambda xml: xml.replace(b'<si><t xml:space="preserve">UTAH</t></si>', rich)}
    )
    assert read(data).rows[0].values["state"] == "UTAH"


@given(st.floats(-1e5, 3e6), st.sampled_from([cells.EPOCH_1900, cells.EPOCH_1904]))
def test_serial_dates_are_those_of_openpyxl(serial: float, epoch: datetime) -> None:
    def outcome(read_serial: Any, *arguments: Any) -> Any:
        try:
            return read_serial(*arguments)
        except OverflowError as error:
            return type(error)

    assert outcome(cells.moment, serial, epoch) == outcome(from_excel, serial, epoch)
    assert abs(cells.duration(serial) - from_excel(serial, timedelta=True)) <= timedelta(milliseconds=1)


@given(st.one_of(st.sampled_from(sorted(BUILTIN_FORMATS.values())), st.text('dmyhsDMYHS[]"\\_;@0#.,/:$-GeneralRed ')))
def test_date_formats_are_those_of_openpyxl(code: str) -> None:
    assert cells.is_date_format(code) == is_date_format(code)
    if is_date_format(code):
        assert cells.is_duration_format(code) == is_timedelta_format(code)


def test_built_in_date_formats_are_those_of_openpyxl() -> None:
    assert {str(number) for number, code in BUILTIN_FORMATS.items() if is_date_format(code)} == cells.BUILT_IN_DATES


def prefixed(xml: bytes) -> bytes:
    """The same XML with its elements under a prefix and in the strict namespace."""
    xml = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", xml)
    xml = re.sub(rb'xmlns="[^"]*/main"', b'xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"', xml)
    return xml.replace(b"xmlns:r=", b"xmlns:rel=").replace(b" r:id=", b" rel:id=")


def test_prefixed_elements_of_the_strict_namespace_are_read() -> None:
    data = participating(ROWS, links={"G2": "https://ice.gov/a.pdf"})
    parts = ("xl/workbook.xml", "xl/styles.xml", SHEET, STRINGS)
    assert read(repacked(data, dict.fromkeys(parts, prefixed))) == read(data)


def test_utf_16_is_read() -> None:
    data = pending(ROWS)
    assert read(repacked(data, {SHEET: lambda xml: xml.decode().encode("utf-16")})) == read(data)


def test_parts_are_found_at_absolute_targets_in_any_case_and_under_other_names() -> None:
    data = pending(ROWS)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheet = package.read(SHEET)
    moved = repacked(
        without(data, SHEET),
        {
            "XL/Lists/List.XML": sheet,
            "xl/_rels/workbook.xml.rels": lambda xml: xml.replace(b"/worksheets/sheet1.xml", b"/lists/list.xml"),
        },
    )
    assert agencies(read(moved)) == agencies(read(data))


def test_a_workbook_without_properties_styles_or_shared_strings_is_read() -> None:
    header = "".join(f'<c r="{"ABCDE"[i]}1" t="inlineStr"><is><t>{name}</t></is></c>' for i, name in enumerate(PENDING))
    spared = ("docProps/core.xml", "docProps/app.xml", "xl/styles.xml", STRINGS, "[Content_Types].xml", "_rels/.rels")
    bare = without(pending([]), *spared)
    bare = repacked(bare, {SHEET: f'<worksheet><sheetData><row r="1">{header}</row></sheetData></worksheet>'.encode()})
    sheet = read(bare)
    assert (sheet.list, sheet.rows, sheet.modified, sheet.created) == (ListName.PENDING, (), None, None)


def test_the_time_of_modification_is_in_utc() -> None:
    stamp = b"2025-12-18T15:17:31Z"
    data = pending([], modified=datetime(2025, 12, 18, 15, 17, 31, tzinfo=UTC))

    def modified(text: bytes) -> datetime | None:
        return read(repacked(data, {"docProps/core.xml": lambda xml: xml.replace(stamp, text)})).modified

    for text in (stamp, b"2025-12-18T10:17:31-05:00", b"2025-12-18T15:17:31"):
        assert modified(text) == datetime(2025, 12, 18, 15, 17, 31, tzinfo=UTC)
    for text in (b"yesterday", b"0001-01-01T00:00:00+14:00", b""):
        assert modified(text) is None


def test_why_a_workbook_is_unreadable_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(Unreadable(Reason.EMPTY, "empty")))  # noqa: S301
    assert (error.reason, str(error)) == (Reason.EMPTY, "empty")
