"""Hostile and broken workbooks: each ends in one reason and one line, within the caps on memory."""

import io
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from itertools import pairwise

import pytest
from openpyxl import Workbook

from pipeline.reading.workbook import Limits, Reason, Unreadable, read
from tests.workbooks import (
    PARTICIPATING,
    PENDING,
    SHEET,
    STRINGS,
    fill,
    packed,
    participating,
    pending,
    repacked,
    without,
    workbook,
)

MEGABYTE = 1024 * 1024
# Of the 100 MB that a file may unpack to, a tag of 1 MB and 10 million characters of text are held at once.
MEMORY = 64 * MEGABYTE

GOOD = participating([("UTAH", "Kane County Sheriff's Office")] * 3, links={"G2": "https://www.ice.gov/a.pdf"})
ROOT_RELS = "_rels/.rels"
BOOK_RELS = "xl/_rels/workbook.xml.rels"
SHEET_RELS = "xl/worksheets/_rels/sheet1.xml.rels"


def changed(part: str, old: str, new: str | bytes) -> bytes:
    """A good workbook with a part's XML changed in one place."""
    text = new if isinstance(new, bytes) else new.encode()

    def change(xml: bytes) -> bytes:
        assert old.encode() in xml
        return xml.replace(old.encode(), text, 1)

    return repacked(GOOD, {part: change})


def rows_from(first: int, count: int, cell: str) -> str:
    return "".join(f'<row r="{row}">{cell.format(row=row)}</row>' for row in range(first, first + count))


def below(xml: str) -> bytes:
    """A good workbook with more XML below its rows."""
    return changed(SHEET, "</sheetData>", xml + "</sheetData>")


def row_nine(cells: str) -> bytes:
    return below(f'<row r="9">{cells}</row>')


def strings(xml: bytes) -> bytes:
    return repacked(GOOD, {STRINGS: b"<sst>" + xml + b"</sst>"})


def member(name: str, content: bytes = b"x") -> bytes:
    return repacked(GOOD, {name: content})


def stored_twice(name: str) -> bytes:
    out = io.BytesIO(GOOD)
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning, match="Duplicate name"):
        package.writestr(name, b"<worksheet/>")
    return out.getvalue()


def many_members() -> bytes:
    return packed({f"m/{number}": b"" for number in range(2_001)})


def with_directory(name: str, offset: int, layout: str, value: int) -> bytes:
    """A good workbook with a field of a member's entry in the zip's directory overwritten."""
    data = bytearray(GOOD)
    entry = GOOD.rindex(name.encode()) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into(layout, data, entry + offset, value)
    return bytes(data)


def flipped(name: str) -> bytes:
    """A good workbook with a bit of a member's packed bytes turned over."""
    data = bytearray(GOOD)
    with zipfile.ZipFile(io.BytesIO(GOOD)) as package:
        info = package.getinfo(name)
    data[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0x10
    return bytes(data)


def with_doctype(part: str, doctype: str, use: str = "") -> bytes:
    def change(xml: bytes) -> bytes:
        return doctype.encode() + xml.replace(b"<v>0</v>", f"<v>{use}</v>".encode())

    return repacked(GOOD, {part: change})


def billion_laughs() -> bytes:
    names = [f"l{number}" for number in range(10)]
    entities = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names))
    return with_doctype(SHEET, f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>', "&l9;")


def add_another(book: Workbook) -> None:
    fill(book.create_sheet("Another"), [("UTAH", "Garfield")], PENDING)


def cfb(*names: str) -> bytes:
    """The beginning of an OLE container with these streams in its directory."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"".join(name.encode("utf-16-le") for name in names)


def million_links() -> bytes:
    links = "".join(f'<hyperlink ref="G{number}" r:id="rId1"/>' for number in range(1_000_000))
    return changed(SHEET, "</hyperlinks>", links + "</hyperlinks>")


def links_over_everything() -> bytes:
    rows = rows_from(5, 1_000, '<c r="A{row}" t="s"><v>8</v></c>')
    links = "".join(f'<hyperlink r:id="rId1" ref="A1:XFD{1_000_000 + number}"/>' for number in range(10_000))
    return below(rows + f"</sheetData><hyperlinks>{links}</hyperlinks><sheetData>")


def noise(size: int) -> str:
    """Text that no zip makes much smaller."""
    return random.Random(size).randbytes(size // 2).hex()


HOSTILE: list[tuple[str, Reason, Callable[[], bytes]]] = [
    ("zero bytes", Reason.EMPTY, lambda: b""),
    ("only zeros", Reason.EMPTY, lambda: bytes(1000)),
    ("not a zip", Reason.NOT_A_ZIP, lambda: b"\x89PNG\r\n\x1a\n" + bytes(100)),
    ("an HTML page", Reason.HTML, lambda: b"\xef\xbb\xbf\n<!DOCTYPE HTML><html><body>Access Denied</body></html>"),
    ("a fragment of HTML", Reason.HTML, lambda: b"<HEAD></HEAD>\n<BODY>Not found</BODY>"),
    ("a CSV", Reason.CSV, lambda: b"STATE,LAW ENFORCEMENT AGENCY,TYPE\nUTAH,Kane,County\n"),
    ("a PDF", Reason.PDF, lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("an xls", Reason.XLS, lambda: cfb("Workbook")),
    ("an xls of Excel 4", Reason.XLS, lambda: b"\x09\x04\x06\x00\x00\x00\x10\x00"),
    ("password-protected", Reason.ENCRYPTED, lambda: cfb("EncryptionInfo", "EncryptedPackage")),
    ("an encrypted member", Reason.ENCRYPTED, lambda: with_directory(SHEET, 8, "<H", 1)),
    ("a zip cut short", Reason.TRUNCATED, lambda: GOOD[: len(GOOD) // 2]),
    ("a zip without its first half", Reason.DAMAGED, lambda: GOOD[:4] + GOOD[len(GOOD) // 2 :]),
    ("a wrong check sum", Reason.DAMAGED, lambda: with_directory(SHEET, 16, "<I", 1)),
    ("a bit turned over", Reason.DAMAGED, lambda: flipped(SHEET)),
    ("an unknown compression", Reason.DAMAGED, lambda: with_directory(SHEET, 10, "<H", 12)),
    ("a member beyond the end", Reason.DAMAGED, lambda: with_directory(SHEET, 42, "<I", 0x7FFFFFFF)),
    ("a size declared too small", Reason.DAMAGED, lambda: with_directory(SHEET, 24, "<I", 100)),
    ("a size declared too large", Reason.BOMB, lambda: with_directory(SHEET, 24, "<I", 0xFFFFFFF0)),
    ("two members with one name", Reason.DAMAGED, lambda: stored_twice(SHEET)),
    ("two members that differ in case", Reason.DAMAGED, lambda: member(SHEET.upper())),
    ("an absolute path", Reason.UNSAFE_PATH, lambda: member("/etc/passwd")),
    ("a parent path", Reason.UNSAFE_PATH, lambda: member("xl/../../passwd")),
    ("a Windows path", Reason.UNSAFE_PATH, lambda: member("C:\\windows\\x")),
    ("a parent path with backslashes", Reason.UNSAFE_PATH, lambda: member("xl\\..\\..\\x")),
    ("too many bytes", Reason.TOO_LARGE, lambda: GOOD + bytes(20 * MEGABYTE)),
    ("too many members", Reason.BOMB, many_members),
    ("a bomb by ratio", Reason.BOMB, lambda: below(" " * (4 * MEGABYTE))),
    ("a bomb in a part that is not read", Reason.BOMB, lambda: member("xl/media/1.png", bytes(4 * MEGABYTE))),
    ("another zip", Reason.NOT_A_WORKBOOK, lambda: packed({"readme.txt": b"hello"})),
    ("a document", Reason.NOT_A_WORKBOOK, lambda: changed(ROOT_RELS, "xl/workbook", "word/document")),
    ("entities upon entities", Reason.ENTITIES, billion_laughs),
    (
        "an external entity",
        Reason.ENTITIES,
        lambda: with_doctype(SHEET, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
    ),
    (
        "a document type in the strings",
        Reason.ENTITIES,
        lambda: with_doctype(STRINGS, '<!DOCTYPE sst SYSTEM "http://example.org/x">'),
    ),
    ("bad XML", Reason.DAMAGED, lambda: changed(SHEET, "</sheetData>", "")),
    ("no XML", Reason.DAMAGED, lambda: repacked(GOOD, {SHEET: b""})),
    ("bad UTF-8", Reason.DAMAGED, lambda: changed(SHEET, "</sheetData>", b"\xff</sheetData>")),
    (
        "an encoding of another age",
        Reason.DAMAGED,
        lambda: changed(SHEET, "<worksheet", '<?xml version="1.0" encoding="cp037"?><worksheet'),
    ),
    ("nested without an end", Reason.DAMAGED, lambda: row_nine("<c>" * 300_000)),
    ("nested strings", Reason.DAMAGED, lambda: strings(b"<si>" * 200_000)),
    ("nested relationships", Reason.DAMAGED, lambda: repacked(GOOD, {SHEET_RELS: b"<a>" * 300_000})),
    ("an attribute of 4 MB", Reason.DAMAGED, lambda: row_nine(f'<c a="{noise(4 * MEGABYTE)}"/>')),
    ("names without an end", Reason.DAMAGED, lambda: below("".join(f"<n{number}/>" for number in range(100_000)))),
    ("a million rows", Reason.TOO_MANY_ROWS, lambda: below(rows_from(5, 1_000_000, '<c r="A{row}"><v>8</v></c>'))),
    (
        "a million rows, spelt otherwise",
        Reason.TOO_MANY_ROWS,
        lambda: below("<!-- -->" + rows_from(5, 100_000, "<c t='s'><v>8</v></c>")),
    ),
    ("cells beyond the last column", Reason.DAMAGED, lambda: row_nine("<c/>" * 20_000 + "<c><v>1</v></c>")),
    (
        "empty cells without an end",
        Reason.TOO_MANY_CELLS,
        lambda: below(rows_from(5, 70_000, "".join(f'<c r="{letter}{{row}}" s="1"/>' for letter in "ABCDEFGH"))),
    ),
    ("a cell of 10 MB", Reason.CELL_TOO_LONG, lambda: row_nine(f'<c r="A9" t="str"><v>{noise(10 * MEGABYTE)}</v></c>')),
    (
        "a string of 10 MB",
        Reason.CELL_TOO_LONG,
        lambda: strings(b"<si><t>%s</t></si>" % noise(10 * MEGABYTE).encode()),
    ),
    (
        "a string of 10 MB in runs",
        Reason.CELL_TOO_LONG,
        lambda: strings(b"<si>%s</si>" % (b"<r><t>%s</t></r>" % noise(9_000).encode() * 1_200)),
    ),
    (
        "strings without an end",
        Reason.TOO_MANY_CELLS,
        lambda: strings(b"".join(b"<si><t>%d</t></si>" % number for number in range(250_000))),
    ),
    ("a million hyperlinks", Reason.TOO_MANY_LINKS, million_links),
    ("hyperlinks over everything", Reason.TOO_MANY_LINKS, links_over_everything),
    ("rows that run backwards", Reason.DAMAGED, lambda: below('<row r="1"><c r="A1"><v>1</v></c></row>')),
    ("a row that comes twice", Reason.DAMAGED, lambda: below('<row r="4"><c r="A4"><v>1</v></c></row>')),
    ("a negative row", Reason.DAMAGED, lambda: below('<row r="-1"/>')),
    ("a row without a number", Reason.DAMAGED, lambda: below('<row r="x"/>')),
    ("a row beyond the last", Reason.DAMAGED, lambda: below('<row r="1048577"/>')),
    ("a cell in another row", Reason.DAMAGED, lambda: row_nine('<c r="A8"><v>1</v></c>')),
    ("a cell beyond the last column", Reason.DAMAGED, lambda: row_nine('<c r="XFE9"><v>1</v></c>')),
    ("a cell with nonsense for a name", Reason.DAMAGED, lambda: row_nine('<c r="R1C1"><v>1</v></c>')),
    ("a cell that comes twice", Reason.DAMAGED, lambda: row_nine('<c r="A9"><v>1</v></c><c r="A9"><v>2</v></c>')),
    ("a cell with two values", Reason.DAMAGED, lambda: row_nine('<c r="A9"><v>1</v><v>2</v></c>')),
    ("a string that is not there", Reason.DAMAGED, lambda: row_nine('<c r="A9" t="s"><v>999</v></c>')),
    ("a negative string", Reason.DAMAGED, lambda: row_nine('<c r="A9" t="s"><v>-1</v></c>')),
    ("a sheet that is not there", Reason.DAMAGED, lambda: without(GOOD, SHEET)),
    (
        "a sheet somewhere else",
        Reason.NO_SHEET_FITS,
        lambda: changed(BOOK_RELS, "<Relationship ", '<Relationship TargetMode="External" '),
    ),
    (
        "a sheet that is the workbook",
        Reason.NO_SHEET_FITS,
        lambda: changed(BOOK_RELS, "worksheets/sheet1", "workbook"),
    ),
    (
        "a workbook that is its own relationships",
        Reason.NO_SHEET_FITS,
        lambda: changed(ROOT_RELS, "xl/workbook.xml", "_rels/.rels"),
    ),
    (
        "sheets without an end",
        Reason.BOMB,
        lambda: changed("xl/workbook.xml", "</sheets>", '<sheet id="rId1"/>' * 200 + "</sheets>"),
    ),
    (
        "another list",
        Reason.NO_SHEET_FITS,
        lambda: workbook([("ALABAMA", 7)], columns=("STATE", "POPULATION", "AREA")),
    ),
    ("no header", Reason.NO_SHEET_FITS, lambda: workbook([], columns=("UTAH", "Kane Sheriff", "County", "Kane"))),
    ("an empty sheet", Reason.NO_SHEET_FITS, lambda: workbook([], columns=())),
    ("two fitting sheets", Reason.AMBIGUOUS_SHEETS, lambda: pending([("UTAH", "Kane")], change=add_another)),
    (
        "two columns of one name",
        Reason.DUPLICATE_COLUMNS,
        lambda: workbook([("UTAH",)], columns=(*PARTICIPATING, "STATE")),
    ),
]


@pytest.mark.parametrize(("reason", "build"), [pytest.param(*case[1:], id=case[0]) for case in HOSTILE])
def test_ends_in_one_clear_line_within_the_caps(reason: Reason, build: Callable[[], bytes]) -> None:
    data = build()
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable) as caught:
            read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert caught.value.reason is reason, message
    assert message.isprintable()
    assert len(message) < 300
    assert peak < MEMORY


def test_every_reason_has_its_case() -> None:
    assert {reason for _, reason, _ in HOSTILE} == set(Reason)


def test_a_bomb_by_size_stops_at_the_cap_whatever_the_directory_declares() -> None:
    rows = rows_from(5, 20_000, '<c r="A{row}" s="1"/>')
    data = below(rows)
    assert len(read(data).rows) == 3
    with pytest.raises(Unreadable, match="bomb: "):
        read(data, Limits(expanded=len(rows)))
    lying = bytearray(data)
    struct.pack_into("<I", lying, data.rindex(SHEET.encode()) - 46 + 24, 1000)
    with pytest.raises(Unreadable) as caught:
        read(bytes(lying), Limits(expanded=len(rows)))
    assert caught.value.reason is Reason.DAMAGED


def test_a_cell_at_the_far_corner_costs_nothing() -> None:
    data = below('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    tracemalloc.start()
    try:
        sheet = read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(sheet.rows) == 3
    assert peak < 2 * MEGABYTE


def test_a_huge_sheet_that_is_no_list_does_not_hide_the_list() -> None:
    dump = rows_from(1, 30_000, '<c r="A{row}"><v>1</v></c>').encode()

    def add_dump(xml: bytes) -> bytes:
        return xml.replace(b"<sheetData/>", b"<sheetData>" + dump + b"</sheetData>")

    data = pending([("UTAH", "Kane")], change=lambda book: book.create_sheet("Dump", 0))
    data = repacked(data, {SHEET: add_dump})
    assert len(read(data).rows) == 1


def test_a_name_out_of_the_file_cannot_break_the_line() -> None:
    with pytest.raises(Unreadable) as caught:
        read(member("../\x1b[31m\nINFO all is well" + "x" * 1000))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
