"""The tables -> one XLSX workbook: a sheet that says what it is, then a sheet a table.

Each has its header frozen, a filter, real dates, and links where a document is linked. Times are in UTC; a spreadsheet
program knows no time zone.
"""

import errno
import io
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pipeline.publish.exports.description import NAME, about
from pipeline.publish.exports.reading import Content, Edition
from pipeline.publish.exports.tables import Column, Type
from pipeline.reading.links import host
from pipeline.reports.escaping import web_link

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.styles import Font

MOST_CHARACTERS = 32_767
"""Of a cell, in UTF-16 as Excel counts; openpyxl would cut the rest off without a word."""
MOST_LINKS = 65_530
"""Of a sheet, for Excel."""
LONGEST_LINK = 2_079

_LINKED = ("moa_url", "addendum_url")
_FIRST_DAY = date(1900, 3, 1)
"""The first from which Excel counts days as the calendar does."""
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would be read as the escape that stands for it (ECMA-376, part 1, 22.9.2.19)."""
_BEGUN_ESCAPE = re.compile(r"_(x[0-9A-F]{0,4})?$")
_FORMATS = {Type.DATE: "yyyy-mm-dd", Type.MOMENT: "yyyy-mm-dd hh:mm:ss"}
_WIDTHS = {Type.DATE: 12.0, Type.MOMENT: 20.0, Type.INTEGER: 9.0, Type.NUMBER: 12.0}
_NARROWEST, _WIDEST = 9, 50
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def render(contents: Sequence[Content], edition: Edition, link_hosts: Collection[str]) -> bytes:
    """The workbook; the same for the same rows. Only addresses on `link_hosts`, or below them, are links."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    try:
        return _rendered(book, contents, edition, link_hosts)
    except BaseException as error:
        for sheet in book.worksheets:  # else what they have begun complains when it is thrown away
            with suppress(Exception):
                sheet.close()
        if type(error).__module__.startswith("lxml"):  # it writes to files, and tells of a full disk in its own way
            raise OSError(errno.EIO, f"the workbook cannot be written ({error})") from error
        raise


def _rendered(book: "Workbook", contents: Sequence[Content], edition: Edition, link_hosts: Collection[str]) -> bytes:
    first = book.create_sheet("about")
    first.column_dimensions["A"].width, first.column_dimensions["B"].width = 24, 28
    first.column_dimensions["C"].width, first.column_dimensions["D"].width = 12, 100
    sheets = [_Sheet(book, content, tuple(link_hosts)) for content in contents]
    for sheet in sheets:
        sheet.write()
    for line in _about(contents, edition, [note for sheet in sheets for note in sheet.notes()]):
        first.append([None if text is None else _text(first, _escaped(text)) for text in line])
    return _saved(book, datetime.fromisoformat(edition.created))


def _about(contents: Sequence[Content], edition: Edition, notes: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
    yield from about(edition)
    yield ("Times", "in UTC, without a zone; dates as ICE prints them")
    for note in notes:
        yield ("Note", note)
    yield ()
    yield ("sheet", "rows", None, "what it holds")
    for content in contents:
        yield (content.table.name, f"{len(content.rows):,}", None, content.description)
    yield ()
    yield ("sheet", "column", "type", "meaning")
    for content in contents:
        for column in content.table.columns:
            yield (content.table.name, column.name, _type(column), content.comments[column.name])


def _type(column: Column) -> str:
    return "text" if column.type is Type.TEXT else "JSON text" if column.type.is_json else column.type.value


@dataclass
class _Sheet:
    """A table on its way into a sheet, and what of it does not fit there."""

    book: "Workbook"
    content: Content
    link_hosts: tuple[str, ...]
    links: int = 0
    cut: list[str] = field(default_factory=list)
    unlinked: int = 0

    def write(self) -> None:
        from openpyxl.utils import get_column_letter

        table, rows = self.content.table, self.content.rows
        self.sheet = self.book.create_sheet(table.name)
        self.sheet.freeze_panes = "B2"
        self.sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(rows) + 1}"
        for number, column in enumerate(table.columns):
            width = _WIDTHS.get(column.type) or _width(row[number] for row in rows)
            self.sheet.column_dimensions[get_column_letter(number + 1)].width = max(width, len(column.name) + 4)
        self.sheet.append([_bold(self.sheet, column.name) for column in table.columns])
        for line, row in enumerate(rows, 2):
            self.sheet.append(
                [self._cell(column, value, line) for column, value in zip(table.columns, row, strict=True)]
            )

    def notes(self) -> Iterator[str]:
        name = self.content.table.name
        if self.cut:
            some = ", ".join(self.cut[:10]) + (", ..." if len(self.cut) > 10 else "")
            yield (
                f"{len(self.cut):,} texts of the sheet {name} are longer than a cell can hold and end in …: {some};"
                " the other formats have them whole"
            )
        if self.unlinked:
            yield f"{self.unlinked:,} addresses of the sheet {name} are texts, since a sheet holds {MOST_LINKS:,} links"

    def _cell(self, column: Column, value: Any, line: int) -> Any:
        if value is None or value == "":
            return None
        if column.type in (Type.INTEGER, Type.NUMBER):
            return value
        if column.type in _FORMATS:
            return self._dated(column, value)
        text = _escaped(value)
        if len(text) > MOST_CHARACTERS // 2 and (short := _shortened(text)) != text:
            text = short
            self.cut.append(f"row {line}, {column.name}")
        if column.name in _LINKED and self._may_be_link(value):
            cell = _text(self.sheet, text)
            cell.hyperlink = value
            cell.font = _font(color="0563C1", underline="single")
            return cell
        return _text(self.sheet, text) if text[0] in "=#" else text

    def _dated(self, column: Column, value: str) -> "Cell":
        from openpyxl.cell import WriteOnlyCell

        moment = datetime.fromisoformat(value).replace(tzinfo=None)
        if moment.date() < _FIRST_DAY:
            return _text(self.sheet, value)
        cell = WriteOnlyCell(self.sheet, moment)
        cell.number_format = _FORMATS[column.type]
        return cell

    def _may_be_link(self, url: str) -> bool:
        if len(url) > LONGEST_LINK or web_link(url) != url or not _is_below(host(url), self.link_hosts):
            return False
        fits = self.links < MOST_LINKS
        self.links += fits
        self.unlinked += not fits
        return fits


def _is_below(name: str, hosts: Collection[str]) -> bool:
    return any(name == one or name.endswith(f".{one}") for one in hosts)


def _text(sheet: Any, text: str) -> "Cell":
    """A cell that holds a text, whatever it looks like: openpyxl takes `=1+1` for a formula and `#N/A` for an error."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def _escaped(text: str) -> str:
    return _UNFIT.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _bold(sheet: Any, text: str) -> "Cell":
    cell = _text(sheet, text)
    cell.font = _font(bold=True)
    return cell


def _font(**attributes: Any) -> "Font":
    from openpyxl.styles import Font

    return Font(name="Calibri", size=11, **attributes)


def _shortened(text: str) -> str:
    """An escaped text, cut where a cell is full: between two characters, and not within an escape."""
    units = text.encode("utf-16-le")
    if len(units) // 2 <= MOST_CHARACTERS:
        return text
    beginning = units[: (MOST_CHARACTERS - 1) * 2].decode("utf-16-le", "ignore")
    return _BEGUN_ESCAPE.sub("", beginning) + "…"


def _width(values: Iterator[Any]) -> float:
    longest = max((len(value) for value in values if value), default=0)
    return min(max(longest + 2, _NARROWEST), _WIDEST)


def _saved(book: "Workbook", created: datetime) -> bytes:
    """The bytes, with nothing of this moment in them: openpyxl notes when it saved."""
    from openpyxl.xml.functions import tostring

    book.properties.creator = NAME
    book.properties.created = created.replace(tzinfo=None)
    out = io.BytesIO()
    book.save(out)
    book.properties.modified = book.properties.created
    with zipfile.ZipFile(out) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts["docProps/core.xml"] = tostring(book.properties.to_tree())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, content)
    return out.getvalue()
