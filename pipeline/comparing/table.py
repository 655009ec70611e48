"""Another tracker's file, CSV or XLSX, in bytes -> its rows, read as ICE's are.

The file is a stranger's: its size, rows, columns and cells are capped, a workbook is unpacked under the caps of our own
reader, and what cannot be read is named.
"""

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pipeline.comparing.cells import day_first, models, signing_date
from pipeline.reading.cells import Value
from pipeline.reading.normalize import is_blank, show, tidy
from pipeline.reading.package import Limits, Unreadable
from pipeline.reading.places import fold, resolve_county, resolve_state
from pipeline.reading.workbook import HEADER_ROWS, sheets
from pipeline.reports.comparison import Entry, Table

LIMITS = Limits()
COLUMNS = 200
ROWS = 10_000
"""Of another tracker's list; the longest of ICE's has fewer than two thousand."""

REQUIRED = ("state", "agency", "model")
USUAL = {
    "state": ("state", "states", "state name", "state code", "state territory", "st", "state abbreviation"),
    "agency": (
        *("law enforcement agency", "agency", "agency name", "law enforcement agency name", "lea", "lea name"),
        *("jurisdiction", "department", "organization", "name"),
    ),
    "model": (
        *("support type", "model", "support model", "agreement type", "program model", "program", "287 g model"),
        *("type of support", "model type", "type of agreement", "moa type"),
    ),
    "signed": (
        *("signed", "date signed", "signed on", "signing date", "signed date", "signature date", "moa signed"),
        *("agreement date", "date of agreement", "moa date", "date"),
    ),
    "county": ("county", "county name", "counties", "county parish", "parish"),
}
"""What we compare -> the headers, folded, that others have for it, the likeliest first."""

_ODD = 20
_TEXT = (("utf-8-sig", b""), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"), ("cp1252", b""))
_DELIMITERS = ",;\t"

Cells = Mapping[int, Value]


class CannotRead(Exception):  # noqa: N818 - what the user is told
    """The file is no list that can be compared; the message is one sentence."""


def read(data: bytes, name: str, columns: Mapping[str, str], sheet: str | None = None) -> Table:
    """The list in a file.

    Args:
        name: what to call the file.
        columns: field (a key of USUAL) -> header, where the usual ones will not do.
        sheet: the sheet of a workbook; else the first visible one that has the columns.

    Raises:
        CannotRead: it is neither CSV nor XLSX, too large, or lacks a column.
    """
    if len(data) > LIMITS.size:
        raise CannotRead(f"{name} is too large: more than {LIMITS.size:,} bytes")
    if not data.strip():
        raise CannotRead(f"{name} is empty")
    try:
        if data.startswith(b"PK\x03\x04"):
            found, rows, hidden = _from_workbook(data, name, columns, sheet)
        elif sheet is not None:
            raise CannotRead(f"{name} is no workbook (XLSX), and has no sheets; leave out --sheet")
        else:
            found, rows = _from_text(data, name, columns)
            hidden = frozenset()
        return _table(data, name, found, rows, hidden)
    except Unreadable as error:
        raise CannotRead(f"{name} cannot be read: {error}") from error


Rows = Iterator[tuple[int, Cells]]
Header = Mapping[str, tuple[int, str]]
"""Field -> its column, and the header as printed."""


def _from_workbook(
    data: bytes, name: str, columns: Mapping[str, str], sheet: str | None
) -> tuple[Header, Rows, Collection[int]]:
    """The header, the rows after it, and the numbers of all that are hidden, by hand and not by a filter."""
    titles: list[str] = []
    why = CannotRead(f"{name} has no sheet that can be seen")
    for title, is_hidden, worksheet in sheets(data):
        titles.append(title)
        if (sheet is None and is_hidden) or (sheet is not None and fold(sheet) != fold(title)):
            continue
        every = list(worksheet.rows())
        hidden = frozenset(row.number for row in every if row.hidden)
        if hidden and worksheet.filtered():
            hidden = frozenset()
        rows = ((row.number, row.cells) for row in every)
        try:
            return _found(rows, name, columns), rows, hidden
        except CannotRead as error:
            why = error
            if sheet is not None:
                raise
    if sheet is not None:
        raise CannotRead(f"{name} has no sheet {sheet!r}; it has {', '.join(map(repr, titles[:10]))}")
    raise why


def _from_text(data: bytes, name: str, columns: Mapping[str, str]) -> tuple[Header, Rows]:
    text = _decoded(data, name)
    if text.lstrip()[:1] in ("<", "{", "[") or "\0" in text:
        raise CannotRead(f"{name} is neither CSV nor XLSX")
    rows = _lines(text, name, _delimiter(text, name))
    return _found(rows, name, columns), rows


def _decoded(data: bytes, name: str) -> str:
    for encoding, mark in _TEXT:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise CannotRead(f"{name} is neither in UTF-8 nor in Windows' encoding; save it as CSV UTF-8")


def _delimiter(text: str, name: str) -> str:
    """Of comma, semicolon and tab the one that parts the first lines into the most cells."""

    def cells(delimiter: str) -> int:
        lines = _lines(text, name, delimiter)
        try:
            return max((len(row) for _, (_, row) in zip(range(HEADER_ROWS), lines, strict=False)), default=0)
        except CannotRead:  # with this one; the one that is chosen says it again if it is true of the file
            return 0

    return max(_DELIMITERS, key=cells)


def _lines(text: str, name: str, delimiter: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    too_long = f"a cell has more than {LIMITS.text:,} characters"
    try:
        for cells in reader:
            if any(len(cell) > LIMITS.text for cell in cells):
                raise CannotRead(f"{name}, line {reader.line_num}: {too_long}")
            yield reader.line_num, {column: cell for column, cell in enumerate(cells[:COLUMNS], 1) if cell.strip()}
    except csv.Error as error:  # its own limit on a field is larger, and other code of the process may move it
        why = too_long if "field limit" in str(error) else error
        raise CannotRead(f"{name}, line {reader.line_num}: {why}") from error


def _found(rows: Rows, name: str, wanted: Mapping[str, str]) -> Header:
    """The header, read off the rows; what follows it is left in them.

    Raises:
        CannotRead: no row near the top names all that is needed, or all that was asked for.
    """
    nearest: Header = {}
    widest: Sequence[str] = ()
    for number, cells in rows:
        if number > HEADER_ROWS:
            break
        names = {column: value for column, value in sorted(cells.items()) if isinstance(value, str)}
        header = _header(names, wanted)
        if {*REQUIRED, *wanted} <= header.keys():
            return header
        if len(header) > len(nearest) or not widest:
            nearest, widest = header, tuple(names.values())
    missing = [field for field in dict.fromkeys((*wanted, *REQUIRED)) if field not in nearest]
    named = wanted.get(missing[0]) if missing else None
    there = ", ".join(repr(tidy(one)[:40]) for one in widest[:12]) or "none"
    if len(widest) >= COLUMNS:
        name = f"{name}, of which only the first {COLUMNS} columns are looked at,"
    if named:
        raise CannotRead(f"{name} has no column {named!r}; its columns are {there}")
    raise CannotRead(
        f"{name} has no column that looks like the {missing[0] if missing else 'agency'};"
        f" name it with --columns {missing[0] if missing else 'agency'}=... (its columns are {there})"
    )


def _header(names: Mapping[int, str], wanted: Mapping[str, str]) -> Header:
    """Field -> column: those asked for, and of the rest the usual ones."""
    folded = {column: fold(text) for column, text in names.items()}
    found: dict[str, tuple[int, str]] = {}
    for field in (*wanted, *(field for field in USUAL if field not in wanted)):
        usual = (fold(wanted[field]),) if field in wanted else USUAL[field]
        taken = {column for column, _ in found.values()}
        columns = [c for one in usual for c, text in folded.items() if text == one and c not in taken]
        if columns:
            found[field] = columns[0], names[columns[0]]
    return found


def _table(data: bytes, name: str, header: Header, rows: Rows, hidden: Collection[int]) -> Table:
    """What follows the header; rows hidden by hand are left out, as they are of ICE's own lists."""
    data_rows: list[tuple[int, Mapping[str, Value]]] = []
    left_out: list[int] = []
    for number, cells in rows:
        values = {field: cells.get(column) for field, (column, _) in header.items()}
        if all(is_blank(show(value)) for value in values.values()):
            continue
        if number in hidden:
            left_out.append(number)
            continue
        if len(data_rows) == ROWS:
            raise CannotRead(f"{name} has more than {ROWS:,} rows; no list of agreements is so long")
        data_rows.append((number, values))
    is_day_first = day_first(values.get("signed") for _, values in data_rows)
    odd: list[str] = []
    every = tuple(entry for number, values in data_rows for entry in _entries(number, values, is_day_first, odd))
    columns = {field: tidy(printed) for field, (_, printed) in header.items()}
    sha256 = hashlib.sha256(data).hexdigest()
    return Table(name, sha256, columns, every, tuple(_shortened(odd)), len(odd), tuple(left_out))


def entries(number: int, printed: Mapping[str, Value]) -> list[Entry]:
    """The agreements that a row stands for; `printed` maps the keys of USUAL to its cells."""
    return list(_entries(number, printed, None, []))


def _entries(number: int, values: Mapping[str, Value], is_day_first: bool | None, odd: list[str]) -> Iterator[Entry]:
    """The agreements that a row stands for: one for each model that it names."""
    texts = {field: show(value) for field, value in values.items()}
    state = resolve_state(texts["state"])
    named = models(texts["model"])
    signed, read = signing_date(values.get("signed"), is_day_first)
    county = tidy(texts.get("county", ""))
    unread = {
        "state": state is None,
        "agency": is_blank(texts["agency"]),
        "model": not named,
        "signed": not read and not is_blank(texts.get("signed", "")),
    }
    odd += [f"row {number}: {field} {texts[field][:60]!r}" for field, fails in unread.items() if fails]
    postal = state.postal if state else None
    for model in named or (None,):
        yield Entry(
            number,
            postal,
            tidy(texts["agency"]),
            model,
            signed.isoformat() if signed else None,
            None if is_blank(county) else resolve_county(postal, county) or county,
        )


def _shortened(odd: Sequence[str]) -> Iterable[str]:
    yield from odd[:_ODD]
    if len(odd) > _ODD:
        yield f"and {len(odd) - _ODD:,} more"
