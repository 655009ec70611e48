"""Small workbooks built in code, shaped like ICE's; the same arguments give the same bytes.

    participating([("UTAH", "Kane County Sheriff's Office")])
    pending([{"STATE": "OHIO", "LAW ENFORCEMENT AGENCY": "Lake County Sheriff's Office", "COUNTY": None}])
    repacked(pending([]), {"xl/worksheets/sheet1.xml": lambda xml: xml.replace(b"STATE", b"STATTE")})

A row is a tuple in the order of the columns, or a dict by header; what it leaves out is a plausible default.
"""

import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

PENDING = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE")
PARTICIPATING = (*PENDING, "SIGNED", "MOA", "ADDENDUM")
MODIFIED = datetime(2025, 7, 1, 12, tzinfo=UTC)

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"

_DEFAULTS: dict[str, Any] = {
    "STATE": "FLORIDA",
    "LAW ENFORCEMENT AGENCY": "Polk County Sheriff's Office",
    "TYPE": "County",
    "COUNTY": "Polk County",
    "SUPPORT TYPE": "Task Force Model",
    "SIGNED": datetime(2025, 3, 4),  # noqa: DTZ001 - a cell has no time zone
    "MOA": "link",
    "ADDENDUM": None,
}
_INLINE_STRING = re.compile(
    rb'<c(?P<attributes>(?: [rs]="\w+")+) t="inlineStr"><is><t(?: xml:space="preserve")?>(?P<text>[^<]*)</t></is></c>'
)
_STRINGS_LINE = (
    b'<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
    b'Target="sharedStrings.xml" Id="rIdStrings"/></Rel'
)
_STRINGS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Rows = Iterable[Sequence[Any] | Mapping[str, Any]]
Parts = Mapping[str, bytes | Callable[[bytes], bytes]]


def participating(rows: Rows, **variations: Any) -> bytes:
    """A participating list; `variations` as for `workbook`."""
    return workbook(rows, **{"columns": PARTICIPATING, **variations})


def pending(rows: Rows, **variations: Any) -> bytes:
    """A pending list; `variations` as for `workbook`."""
    return workbook(rows, **{"columns": PENDING, **variations})


def workbook(
    rows: Rows,
    *,
    columns: Sequence[str | None],
    title: str = "Sheet1",
    above: Sequence[Sequence[Any]] = (),
    links: Mapping[str, str] | None = None,
    hidden_rows: Collection[int] = (),
    filter_column: int | None = None,
    modified: datetime = MODIFIED,
    change: Callable[[Workbook], None] | None = None,
) -> bytes:
    """The bytes of a workbook with one list.

    columns: the header, as printed; above: rows before the header; links: cell -> target, such as {"G2": "https://..."};
    hidden_rows: worksheet rows; filter_column: number, from 0, of a column whose filter has criteria; modified: UTC;
    change: whatever else is to be done to the openpyxl workbook.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    fill(sheet, rows, columns, above)
    for cell, target in (links or {}).items():
        sheet[cell].hyperlink = target
    for row in hidden_rows:
        sheet.row_dimensions[row].hidden = True
    sheet.auto_filter.ref = sheet.dimensions
    if filter_column is not None:
        sheet.auto_filter.add_filter_column(filter_column, ["Task Force Model"])
    if change is not None:
        change(book)
    return saved(book, modified)


def fill(sheet: Worksheet, rows: Rows, columns: Sequence[str | None], above: Sequence[Sequence[Any]] = ()) -> None:
    """Write a header and rows to an openpyxl sheet."""
    for values in (*above, columns):
        sheet.append(list(values))
    for row in rows:
        given = row if isinstance(row, Mapping) else dict(zip(filter(None, columns), row, strict=False))
        sheet.append([given.get(column, _DEFAULTS.get(column)) if column else None for column in columns])


def saved(book: Workbook, modified: datetime = MODIFIED) -> bytes:
    """An openpyxl workbook's bytes, with shared strings as Excel writes them and nothing of this moment in them."""
    book.properties.created = modified.replace(tzinfo=None)
    out = io.BytesIO()
    book.save(out)
    strings: dict[bytes, int] = {}

    def share(match: re.Match[bytes]) -> bytes:
        index = strings.setdefault(match["text"], len(strings))
        return b'<c%s t="s"><v>%d</v></c>' % (match["attributes"], index)

    with zipfile.ZipFile(out) as package:
        contents = {name: package.read(name) for name in package.namelist()}
    for name in contents:
        if name.startswith("xl/worksheets/sheet"):
            contents[name] = _INLINE_STRING.sub(share, contents[name])
    items = b"".join(b'<si><t xml:space="preserve">%s</t></si>' % text for text in strings)
    contents[STRINGS] = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' % items
    contents["xl/_rels/workbook.xml.rels"] = contents["xl/_rels/workbook.xml.rels"].replace(b"</Rel", _STRINGS_LINE, 1)
    contents["[Content_Types].xml"] = contents["[Content_Types].xml"].replace(b"</Types>", _STRINGS_TYPE)
    stamp = modified.strftime(r"\g<1>%Y-%m-%dT%H:%M:%SZ").encode()
    contents["docProps/core.xml"] = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", stamp, contents["docProps/core.xml"])
    return packed(contents)


def repacked(data: bytes, parts: Parts) -> bytes:
    """The workbook with parts changed by a function, replaced, or added; parts may be of any name."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        contents = {name: package.read(name) for name in package.namelist()}
    for name, change in parts.items():
        contents[name] = change(contents[name]) if callable(change) else change
    return packed(contents)


def without(data: bytes, *names: str) -> bytes:
    """The workbook without some of its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return packed({name: package.read(name) for name in package.namelist() if name not in names})


def packed(contents: Mapping[str, bytes]) -> bytes:
    """A zip of these members, the same for the same contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in contents.items():
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, content)
    return out.getvalue()
