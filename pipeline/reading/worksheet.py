"""A worksheet's XML -> cells, hyperlinks and hidden rows, in one pass and at any size.

The rules are those of ECMA-376 part 1, chapter 18 (SpreadsheetML), where Excel and openpyxl agree; where they do not,
or where the file contradicts itself, it is refused rather than guessed at. Nothing here knows what a list is.

Excel's column letters are numbers from 1 here, as in openpyxl.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from pipeline.reading.cells import (
    Shared,
    Text,
    Value,
    duration,
    moment,
    read_iso_date,
    read_number,
    too_long,
    too_much_text,
    unescaped,
)
from pipeline.reading.package import (
    Limits,
    Package,
    Reason,
    Unreadable,
    attribute,
    damaged,
    quoted,
    sift,
    sift_rows,
    xml_parser,
)

ROWS, COLUMNS = 1_048_576, 16_384
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?", re.ASCII)

# What Excel writes nearly always: each attribute once and in its order, no markup or entity in a value. All that varies
# is in groups, so that what they hold, and what is fixed around it, can be counted.
_PLAIN_TOKEN = re.compile(
    r'<row r="(\d{1,7})"((?: spans="[\d: ]*")?(?: s="\d+")?(?: customFormat="1")?(?: ht="[\d.]+")?(?: hidden="1")?'
    r'(?: customHeight="1")?(?: x14ac:dyDescent="[\d.]+")?)>'
    r'|<c r="([A-Z]{1,3})(\d{1,7})"( s="\d+")?( t="[a-z]+")?(?:(/)|><v>([ -%\'-;=?-~]*)</v></c)>'
)
_ROW_FRAME, _CELL_FRAME, _EMPTY_FRAME = map(len, ('<row r=""></row>', '<c r=""><v></v></c>', '<c r="">'))
_PLAIN_LINK = re.compile(
    rb'<hyperlink ref="([A-Z]{1,2})([1-9]\d{0,5}+)" r:id="(\w++)"(?: (?:display|tooltip)="[ !#-%\'-;=-~]*+")?'
    rb'(?: xr:uid="[-{}\w]++")?/>'
)


class Row(NamedTuple):
    """A row that has a value; `cells` maps column -> value and leaves out cells without one."""

    number: int
    hidden: bool
    cells: dict[int, Value]


class Area(NamedTuple):
    """A rectangle of cells, edges included."""

    top: int
    left: int
    bottom: int
    right: int


@cache
def column_number(letters: str) -> int:
    """`A` -> 1, `XFD` -> 16384. Raises ValueError for what is not a column."""
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"{quoted(letters)} is not a column")
        number = number * 26 + ord(letter) - ord("A") + 1
    if not 1 <= number <= COLUMNS or len(letters) > 3:
        raise ValueError(f"{quoted(letters)} is not a column")
    return number


class _ColumnNumbers(dict[str, int]):
    def __missing__(self, letters: str) -> int:
        self[letters] = column_number(letters)
        return self[letters]


_column_numbers = _ColumnNumbers()


def column_letters(number: int) -> str:
    """1 -> `A`, 16384 -> `XFD`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def area(reference: str) -> Area | None:
    """`F2:F9` or `F2` -> its cells; None for what is not a reference."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    try:
        first = int(top), column_number(left)
        last = (int(bottom), column_number(right)) if right else first
    except ValueError:
        return None
    return Area(*first, *last)


def too_many_links(part: str, limits: Limits) -> Unreadable:
    most = f"{limits.links:,} hyperlinks or merged cells, or some that cover everything over and over"
    return Unreadable(Reason.TOO_MANY_LINKS, f"too many links: {quoted(part)} has over {most}")


class Worksheet:
    """One pass over a worksheet part.

    `rows()` is to be read to its end before anything else is asked: the file has it behind the rows. Raises Unreadable.
    """

    def __init__(self, package: Package, part: str, shared: Shared) -> None:
        self.formulas = 0
        self.formulas_without_value = 0
        self.lost_links = 0
        self._package = package
        self._part = part
        self._shared = shared
        self._limits = package.limits
        self._relationships = package.relationships(part)
        self._links: list[tuple[Area, str]] = []
        self._link_count = 0
        self._merged: list[tuple[Area, str]] = []
        self._filtered = False
        self._custom_view = False

        self._ready: list[Row] = []
        self._row = 0
        self._row_text = "0"
        self._hidden = False
        self._cells: dict[int, Value] = {}
        self._cell: dict[str, str] = {}
        self._column = 0
        self._text = Text(part, package.limits)
        self._cell_count = 0
        self._characters = 0
        self._numbers: dict[tuple[str, str], Value] = {}

    def rows(self) -> Iterator[Row]:
        """The rows that have a value, from top to bottom, while the part is being unpacked."""
        limits = self._limits
        parser = xml_parser(self._part, self._start, self._end, self._text.pieces.append)
        rows = sift_rows(self._read_plain_rows)
        links = sift(_PLAIN_LINK, b"<hyperlink ", self._add_plain_links)
        for _ in self._package.parse(self._part, parser, lambda pieces: links(rows(pieces))):
            self._text.check()
            if self._cell_count > limits.cells:
                raise Unreadable(Reason.TOO_MANY_CELLS, f"too many cells: over {limits.cells:,} in a sheet")
            if self._characters > limits.characters:
                raise too_much_text(limits)
            yield from self._ready
            self._ready.clear()
        yield from self._ready

    def links(self, rows: Sequence[int], columns: Sequence[int]) -> dict[int, dict[int, str]]:
        """Row -> column -> hyperlink target as stored, for these rows (ascending) and columns; the last one wins."""
        found: dict[int, dict[int, str]] = {}
        for row, column, (_, target) in self._spread(self._links, rows, columns):
            found.setdefault(row, {})[column] = target
        return found

    def covered(self, rows: Sequence[int], columns: Sequence[int]) -> set[tuple[int, int]]:
        """The cells, of these rows (ascending) and columns, that a merged cell to their left or above hides."""
        return {
            (row, column)
            for row, column, (where, _) in self._spread(self._merged, rows, columns)
            if (row, column) != (where.top, where.left)
        }

    def _spread(
        self, areas: Sequence[tuple[Area, str]], rows: Sequence[int], columns: Sequence[int]
    ) -> Iterator[tuple[int, int, tuple[Area, str]]]:
        """The cells of areas that lie in these rows and columns: a whole column costs no more than the rows here."""
        count = 0
        for item in areas:
            where = item[0]
            wanted = [column for column in columns if where.left <= column <= where.right]
            for index in range(bisect_left(rows, where.top), bisect_right(rows, where.bottom)) if wanted else ():
                count += len(wanted)
                if count > self._limits.cells:
                    raise too_many_links(self._part, self._limits)
                for column in wanted:
                    yield rows[index], column, item

    def filtered(self) -> bool:
        """Whether a filter that has criteria, the sheet's own or a table's, may be what hides rows.

        Excel leaves an `autoFilter` on every list that was ever sorted; without a `filterColumn` it hides nothing.
        """
        return self._filtered or any(
            relationship.kind == "table"
            and not relationship.external
            and self._package.elements(relationship.target, "filterColumn")
            for relationship in self._relationships.values()
        )

    def _read_plain_rows(self, block: str) -> bool:
        """Read whole rows; False, with nothing read, if anything in them is not what Excel writes nearly always."""
        tokens = _PLAIN_TOKEN.findall(block)
        ready: list[Row] = []
        strings, columns = self._shared.strings, _column_numbers
        filled, empties, current, last = 0, 0, "", self._row
        cells: dict[int, Value] = {}
        try:
            for number, attributes, letters, at, style, kind, empty, text in tokens:
                if not letters:
                    current = number
                    if not last < int(number) <= ROWS:
                        return False
                    last, cells = int(number), {}
                    ready.append(Row(last, "hidden" in attributes, cells))
                    continue
                if at != current or (column := columns[letters]) in cells:
                    return False
                if empty:
                    empties += 1
                    continue
                filled += 1
                value: Value = strings[text] if kind == ' t="s"' else self._plain_value(style, kind, text)
                if value != "":
                    cells[column] = value
        except (KeyError, ValueError):
            return False
        frames = len(ready) * _ROW_FRAME + filled * _CELL_FRAME + empties * _EMPTY_FRAME
        if frames + len("".join(chain.from_iterable(tokens))) != len(block):
            return False
        self._cell_count += filled + empties
        self._row = last
        self._row_text = str(last)
        self._ready += [row for row in ready if row.cells]
        return True

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._text.start(tag)
        match tag:
            case "c":
                self._open_cell(attributes)
            case "row":
                self._open_row(attributes.get("r") or str(self._row + 1), attributes.get("hidden") in ("1", "true"))
            case "f":
                self.formulas += 1
                self.formulas_without_value += 1
                self._cell["f"] = ""
            case "hyperlink":
                self._add_link(attributes.get("ref", ""), attribute(attributes, "id"))
            case "mergeCell":
                self._add_merged(attributes.get("ref", ""))
            case "customSheetViews":
                self._custom_view = True
            case "filterColumn":
                self._filtered = self._filtered or not self._custom_view
            case "sheetPr":
                self._filtered = self._filtered or attributes.get("filterMode") in ("1", "true")

    def _end(self, tag: str) -> None:
        self._text.end(tag)
        match tag:
            case "v" | "is":
                self._close_value(self._text.take())
            case "row":
                self._close_row()
            case "customSheetViews":
                self._custom_view = False

    def _open_row(self, text: str, hidden: bool) -> None:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
        if not self._row < number <= ROWS:
            raise damaged(self._part, f"row {quoted(text)} follows row {self._row}")
        self._row = number
        self._row_text = str(number)
        self._hidden = hidden
        self._cells = {}
        self._cell = {}
        self._column = 0

    def _close_row(self) -> None:
        if self._cells:
            self._ready.append(Row(self._row, self._hidden, self._cells))
            self._cells = {}

    def _open_cell(self, attributes: dict[str, str]) -> None:
        self._cell = attributes
        self._cell_count += 1
        self._text.take()
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
            return
        try:
            # What is left of a reference without its row's number is letters, or it is that of another row.
            self._column = column_number(reference.removesuffix(self._row_text))
        except ValueError:
            raise self._bad_cell(reference) from None

    def _close_value(self, text: str) -> None:
        if text == "":
            return
        cell = self._cell
        if "f" in cell:
            self.formulas_without_value -= 1
        try:
            value = (
                self._shared.strings[text] if cell.get("t") == "s" else self._value(cell.get("s"), cell.get("t"), text)
            )
        except KeyError:
            raise self._bad_cell(column_letters(self._column)) from None
        if self._column in self._cells or not 1 <= self._column <= COLUMNS:
            raise self._bad_cell(column_letters(self._column))
        if value != "":
            self._cells[self._column] = value

    def _bad_cell(self, where: str) -> Unreadable:
        what = "is no cell of it, has two values, or has a shared string that is not there"
        return damaged(self._part, f"row {self._row}: cell {quoted(where)} {what}")

    def _value(self, style: str | None, kind: str | None, text: str) -> Value:
        match kind or "n":
            case "n":
                return self._number(style or "0", text)
            case "b":
                return text.strip() in ("1", "true")
            case "d":
                return read_iso_date(text)
        if len(text) > self._limits.text:
            raise too_long(f"{self._part}, row {self._row}", self._limits)
        self._characters += len(text)
        return unescaped(text)

    def _plain_value(self, style: str, kind: str, text: str) -> Value:
        """As `_value`, with the attributes as written; numbers, mostly dates that rows share, are worked out once."""
        if kind:
            return self._value(style[4:-1], kind[4:-1], text) if text else ""
        key = style, text
        if key not in self._numbers:
            self._numbers[key] = self._number(style[4:-1] or "0", text) if text else ""
        return self._numbers[key]

    def _number(self, style: str, text: str) -> Value:
        number = read_number(text)
        if isinstance(number, str) or style not in self._shared.dates:
            return number
        try:
            return duration(number) if style in self._shared.durations else moment(number, self._shared.epoch)
        except (OverflowError, ValueError):
            return number

    def _add_link(self, reference: str, identifier: str | None) -> None:
        self._link_count += 1
        if self._link_count > self._limits.links:
            raise too_many_links(self._part, self._limits)
        if identifier is None:
            return
        where = area(reference)
        relationship = self._relationships.get(identifier)
        if where is None or relationship is None:
            self.lost_links += 1
        else:
            self._links.append((where, relationship.target))

    def _add_plain_links(self, links: list[tuple[bytes, bytes, bytes]]) -> None:
        for letters, row, identifier in links:
            relationship = self._relationships.get(identifier.decode())
            column, number = _column_numbers[letters.decode()], int(row)
            if relationship is None:
                self.lost_links += 1
            else:
                self._links.append((Area(number, column, number, column), relationship.target))
        self._link_count += len(links)
        if self._link_count > self._limits.links:
            raise too_many_links(self._part, self._limits)

    def _add_merged(self, reference: str) -> None:
        where = area(reference)
        if len(self._merged) == self._limits.links:
            raise too_many_links(self._part, self._limits)
        if where is not None:
            self._merged.append((where, ""))
