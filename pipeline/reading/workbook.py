"""Workbook bytes -> the sheet that is one of ICE's lists: its columns, rows, hyperlinks and what was odd.

A list is told by its columns, never by the file's name: both have a state and an agency, only the participating list
has SIGNED. Values are as stored; making sense of them is for `normalize`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from db.records import ListName
from pipeline.reading.cells import EPOCH_1900, EPOCH_1904, Shared, Value, date_styles, shared_strings
from pipeline.reading.package import Limits, Package, Reason, Relationship, Unreadable, attribute, quoted
from pipeline.reading.worksheet import Row, Worksheet, column_letters

__all__ = ["FIELDS", "REQUIRED", "Hidden", "Limits", "RawRow", "Reason", "Sheet", "Unreadable", "Value", "read"]

LIMITS = Limits()
HEADER_ROWS = 20
SHEETS = 100

# The first name is the one that ICE prints.
_NAMES = {
    "state": ("STATE", "STATES", "STATE TERRITORY", "STATE OR TERRITORY"),
    "agency": ("LAW ENFORCEMENT AGENCY", "AGENCY", "AGENCY NAME", "LEA", "LAW ENFORCEMENT AGENCY NAME"),
    "type": ("TYPE", "AGENCY TYPE", "TYPE OF AGENCY", "LAW ENFORCEMENT AGENCY TYPE"),
    "county": ("COUNTY", "COUNTIES", "COUNTY PARISH", "COUNTY OR PARISH"),
    "model": ("SUPPORT TYPE", "MODEL", "SUPPORT MODEL", "TYPE OF SUPPORT", "MODEL TYPE", "PROGRAM MODEL"),
    "signed": ("SIGNED", "DATE SIGNED", "SIGNED DATE", "SIGNED ON", "SIGNING DATE", "SIGNATURE DATE", "MOA SIGNED"),
    "moa": ("MOA", "MOAS", "MOA LINK", "MEMORANDUM OF AGREEMENT", "MEMORANDA OF AGREEMENT"),
    "addendum": ("ADDENDUM", "ADDENDA", "ADDENDUMS", "MOA ADDENDUM"),
}
FIELDS = tuple(_NAMES)
REQUIRED = ("state", "agency", "model")
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_NOT_A_WORD = re.compile(r"[\W_]+")


class Hidden(StrEnum):
    """Why a row does not show: `by_filter` is data, `by_hand` (no filter has criteria) was stale each time."""

    NO = "no"
    BY_FILTER = "by_filter"
    BY_HAND = "by_hand"


class RawRow(NamedTuple):
    """A row of the list: the worksheet's number, the cells in the order of FIELDS (None where blank or without a
    column), and the targets of the links of MOA and ADDENDUM as stored.
    """

    row: int
    hidden: Hidden
    cells: tuple[Value, ...]
    moa_target: str | None = None
    addendum_target: str | None = None

    @classmethod
    def of(cls, row: int, values: Mapping[str, Value], links: Mapping[str, str], hidden: Hidden) -> "RawRow":
        """A row from its values and link targets by field."""
        return cls(row, hidden, tuple(map(values.get, FIELDS)), links.get("moa"), links.get("addendum"))

    @property
    def values(self) -> dict[str, Value]:
        """Field -> cell, for every field."""
        return dict(zip(FIELDS, self.cells, strict=True))

    @property
    def links(self) -> dict[str, str]:
        """Field -> target, for those that are linked."""
        targets = {"moa": self.moa_target, "addendum": self.addendum_target}
        return {field: target for field, target in targets.items() if target is not None}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that is a list.

    columns: field -> header as printed; unknown_columns: headers that are no field; missing_columns: required fields
    without a column; rows: those with a value in a known column; modified and created: the workbook's own properties,
    in UTC; notes: one line for each thing that was odd and is no reason to refuse.
    """

    title: str
    list: ListName
    header_row: int
    columns: dict[str, str]
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]
    rows: tuple[RawRow, ...]
    modified: datetime | None
    created: datetime | None
    notes: tuple[str, ...]


def read(data: bytes, limits: Limits = LIMITS) -> Sheet:
    """The list in a workbook's bytes. Raises Unreadable, and nothing else, for whatever bytes."""
    package = Package(data, limits)
    book = _Book(package)
    for hidden in (False, True):
        fitting = (table for tab in book.tabs if tab.hidden is hidden and (table := _read_table(book, tab)))
        table = _only(fitting)
        if table is not None:
            notes = [f"sheet {quoted(table.title)} is hidden, and the only one that fits"] if hidden else []
            return _sheet(table, notes, *_properties(package, book.properties_part))
    titles = ", ".join(quoted(tab.title) for tab in book.tabs[:5]) or "it has none"
    raise Unreadable(Reason.NO_SHEET_FITS, f"no sheet fits: none has the columns of a list ({titles})")


def sheets(data: bytes, limits: Limits = LIMITS) -> Iterator[tuple[str, bool, Worksheet]]:
    """The sheets of any workbook, whatever is on them: title, whether hidden, and the sheet to be read once.

    Raises Unreadable, also while the sheets are being read.
    """
    book = _Book(Package(data, limits))
    yield from ((tab.title, tab.hidden, Worksheet(book.package, tab.part, book.shared)) for tab in book.tabs)


@dataclass(frozen=True, slots=True)
class _Tab:
    title: str
    part: str
    hidden: bool


class _Book:
    """What a workbook says about its sheets."""

    def __init__(self, package: Package) -> None:
        self.package = package
        root = package.relationships("").values()
        part = _target(root, "officeDocument", "xl/workbook.xml")
        if part not in package:
            raise Unreadable(Reason.NOT_A_WORKBOOK, "not a workbook: a zip without a workbook in it")
        self.properties_part = _target(root, "core-properties", "docProps/core.xml")
        relationships = package.relationships(part)
        self.tabs: list[_Tab] = []
        epoch = EPOCH_1900
        for element in package.elements(part, "sheet", "workbookPr"):
            if element.tag == "workbookPr":
                epoch = EPOCH_1904 if element.attributes.get("date1904") in ("1", "true") else EPOCH_1900
            elif element.parent == "sheets":
                self._add_tab(element.attributes, relationships)
        if len(self.tabs) > SHEETS:
            raise Unreadable(Reason.BOMB, f"bomb: {len(self.tabs):,} sheets; a list may have {SHEETS}")
        strings = _target(relationships.values(), "sharedStrings", "xl/sharedStrings.xml")
        styles = _target(relationships.values(), "styles", "xl/styles.xml")
        dates, durations = date_styles(package, styles) if styles in package else (frozenset(), frozenset())
        self.shared = Shared(shared_strings(package, strings) if strings in package else {}, dates, durations, epoch)

    def _add_tab(self, attributes: dict[str, str], relationships: dict[str, Relationship]) -> None:
        relationship = relationships.get(attribute(attributes, "id") or "")
        if relationship is not None and relationship.kind == "worksheet" and not relationship.external:
            hidden = attributes.get("state", "visible") != "visible"
            self.tabs.append(_Tab(attributes.get("name", ""), relationship.target, hidden))


@dataclass(frozen=True, slots=True)
class _Header:
    """A header row: field -> its columns, column -> what is printed, and the columns that were only nearly right."""

    row: int
    fields: dict[str, list[int]]
    printed: dict[int, str]
    misspelt: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet that has a list's header."""

    title: str
    header_row: int
    columns: dict[str, str]
    unknown_columns: tuple[str, ...]
    rows: tuple[RawRow, ...]
    notes: list[str]

    def repeats(self, other: "_Table") -> bool:
        """Whether both hold the same rows, wherever on their sheets."""
        ours, theirs = ([row[1:] for row in table.rows] for table in (self, other))
        return ours == theirs


def _only(tables: Iterator[_Table]) -> _Table | None:
    """The one table that has rows of its own. Raises Unreadable if two have, and differ."""
    chosen: _Table | None = None
    for table in tables:
        if chosen is None:
            chosen = table
            continue
        if not table.rows or table.repeats(chosen):
            ignored, why = table, "the same rows" if table.rows else "no rows"
        elif not chosen.rows:
            ignored, chosen, why = chosen, table, "no rows"
        else:
            both = f"{quoted(chosen.title)} and {quoted(table.title)}"
            raise Unreadable(Reason.AMBIGUOUS_SHEETS, f"ambiguous sheets: {both} both look like the list, and differ")
        chosen.notes.append(f"sheet {quoted(ignored.title)} has the header too, with {why}; ignored")
    return chosen


def _read_table(book: _Book, tab: _Tab) -> _Table | None:
    """The table on a sheet; None if no row near its top is a list's header."""
    sheet = Worksheet(book.package, tab.part, book.shared)
    rows = sheet.rows()
    header = _find_header(rows)
    if header is None:
        return None
    data, notes = _data_rows(rows, header, sheet, book.package.limits)
    columns = _one_column_each(header, data, notes)
    raw = _raw_rows(data, columns, sheet)
    known = {column for columns in header.fields.values() for column in columns}
    return _Table(
        title=tab.title,
        header_row=header.row,
        columns={field: header.printed[column] for field, column in columns.items()},
        unknown_columns=tuple(name for column, name in header.printed.items() if column not in known),
        rows=raw,
        notes=notes + _oddities(sheet),
    )


def _find_header(rows: Iterator[Row]) -> _Header | None:
    for row in rows:
        if row.number > HEADER_ROWS:
            return None
        header = _header(row)
        if header is not None:
            return header
    return None


def _header(row: Row) -> _Header | None:
    """The row as a header, if it names a state and an agency, or four fields of any kind."""
    printed = {column: value for column, value in sorted(row.cells.items()) if isinstance(value, str) and value.strip()}
    names = {column: _folded(value) for column, value in printed.items()}
    field_of = {column: _FIELD_OF[name] for column, name in names.items() if name in _FIELD_OF}
    if not field_of:
        return None
    absent = set(FIELDS) - set(field_of.values())
    near = {column: _near(name, absent) for column, name in names.items() if column not in field_of}
    misspelt = {column: field for column, field in near.items() if field is not None}
    fields: dict[str, list[int]] = {}
    for column, field in sorted((field_of | misspelt).items()):
        fields.setdefault(field, []).append(column)
    if not fields.keys() >= {"state", "agency"} and len(fields) < 4:
        return None
    return _Header(row.number, fields, printed, frozenset(misspelt))


def _folded(header: str) -> str:
    return " ".join(_NOT_A_WORD.sub(" ", header).split()).upper()


def _near(name: str, fields: set[str]) -> str | None:
    """The field that a misspelt header means: one slip of the pen in a name of five letters or more, two from eight."""
    if not 4 <= len(name) <= 40 or not fields:
        return None
    from rapidfuzz.distance import OSA

    near = {
        field
        for known, field in _FIELD_OF.items()
        if field in fields and len(known) >= 5 and OSA.distance(name, known) <= (2 if len(known) >= 8 else 1)
    }
    return near.pop() if len(near) == 1 else None


def _data_rows(rows: Iterator[Row], header: _Header, sheet: Worksheet, limits: Limits) -> tuple[list[Row], list[str]]:
    """The rows below the header with a value in a known column, and notes on values that no header covers."""
    known = [column for columns in header.fields.values() for column in columns]
    data: list[Row] = []
    nameless: dict[int, int] = {}
    for row in rows:
        if _is_blank_row(row, known):
            continue
        if len(data) == limits.rows:
            raise Unreadable(Reason.TOO_MANY_ROWS, f"too many rows: more than the {limits.rows:,} that a list may have")
        data.append(row)
        for column in row.cells.keys() - header.printed.keys():
            nameless[column] = nameless.get(column, 0) + (not _blank(row.cells[column]))
    notes = [
        f"column {column_letters(column)} has no header and {count} values; ignored"
        for column, count in sorted(nameless.items())
        if count
    ]
    covered = sheet.covered([row.number for row in data], known)
    if covered:
        notes.append(f"{len(covered)} cells are covered by merged ones, and read as blank")
        data = [
            row._replace(cells={c: v for c, v in row.cells.items() if (row.number, c) not in covered}) for row in data
        ]
        data = [row for row in data if not _is_blank_row(row, known)]
    return data, notes


def _one_column_each(header: _Header, data: Sequence[Row], notes: list[str]) -> dict[str, int]:
    """Field -> its column; of several, the one that is not blank. Raises Unreadable if two are not."""
    chosen = {}
    for field, columns in header.fields.items():
        filled = [column for column in columns if not all(_is_blank_row(row, [column]) for row in data)]
        if len(columns) > 1:
            names = ", ".join(f"{column_letters(column)} {quoted(header.printed[column])}" for column in columns)
            if len(filled) > 1:
                raise Unreadable(Reason.DUPLICATE_COLUMNS, f"duplicate columns: {names} all hold values of {field!r}")
            notes.append(f"columns {names} are the same; the one with values is read")
        chosen[field] = column = (filled or columns)[0]
        if column in header.misspelt:
            notes.append(f"header {quoted(header.printed[column])} is read as {_NAMES[field][0]!r}")
    return chosen


def modified(data: bytes, limits: Limits = LIMITS) -> datetime | None:
    """The workbook's own dcterms:modified (UTC), without reading its sheets; None if absent. Raises Unreadable."""
    package = Package(data, limits)
    part = _target(package.relationships("").values(), "core-properties", "docProps/core.xml")
    return _properties(package, part)[0]


def _raw_rows(data: Sequence[Row], columns: dict[str, int], sheet: Worksheet) -> tuple[RawRow, ...]:
    linked = {field: columns[field] for field in ("moa", "addendum") if field in columns}
    links = sheet.links([row.number for row in data], tuple(linked.values()))
    hidden = Hidden.NO
    if any(row.hidden for row in data):
        hidden = Hidden.BY_FILTER if sheet.filtered() else Hidden.BY_HAND
    order = [columns.get(field, 0) for field in FIELDS]
    moa, addendum = (linked.get(field, 0) for field in ("moa", "addendum"))
    none: dict[int, str] = {}
    rows = []
    for row in data:
        targets = links.get(row.number, none).get
        shown = hidden if row.hidden else Hidden.NO
        rows.append(RawRow(row.number, shown, tuple(map(row.cells.get, order)), targets(moa), targets(addendum)))
    return tuple(rows)


def _oddities(sheet: Worksheet) -> list[str]:
    counts = {
        "formulas, read as the values that were saved with them": sheet.formulas,
        "formulas without a saved value, read as blank": sheet.formulas_without_value,
        "hyperlinks that lead nowhere": sheet.lost_links,
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def _sheet(table: _Table, notes: list[str], modified: datetime | None, created: datetime | None) -> Sheet:
    return Sheet(
        title=table.title,
        list=ListName.PARTICIPATING if "signed" in table.columns else ListName.PENDING,
        header_row=table.header_row,
        columns=table.columns,
        unknown_columns=table.unknown_columns,
        missing_columns=tuple(field for field in REQUIRED if field not in table.columns),
        rows=table.rows,
        modified=modified,
        created=created,
        notes=(*notes, *table.notes),
    )


def _properties(package: Package, part: str) -> tuple[datetime | None, datetime | None]:
    """dcterms:modified and dcterms:created, in UTC; None for what is absent or no time (ECMA-376 part 2, 11)."""
    wanted = ("dcterms:modified", "dcterms:created")
    found = package.elements(part, *wanted) if part in package else []
    texts = {element.tag: "".join(element.text) for element in found}
    modified, created = (_utc(texts.get(tag, "")) for tag in wanted)
    return modified, created


_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2100
"""A date outside is no date: dates so far out cannot be compared with a day's slack."""


def _utc(text: str) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(text.strip())
        stamp = stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return stamp if _EARLIEST_YEAR <= stamp.year <= _LATEST_YEAR else None


def _target(relationships: Iterable[Relationship], kind: str, usual: str) -> str:
    """The part that a relationship of this kind names, or else the name that it usually has."""
    targets = (line.target for line in relationships if line.kind == kind and not line.external)
    return next(targets, usual)


def _is_blank_row(row: Row, columns: Sequence[int]) -> bool:
    return all(_blank(row.cells.get(column)) for column in columns)


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
