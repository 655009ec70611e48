"""What a workbook's cells mean: shared strings, numbers that are dates, escapes.

The rules are those of ECMA-376 part 1, chapter 18 (SpreadsheetML), where Excel and openpyxl agree.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from pipeline.reading.package import DEPTH, Limits, Package, Reason, Unreadable, quoted, sift, too_deep, xml_parser

Value = str | int | float | bool | datetime | date | time | timedelta | None

EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a cell has no time zone
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001

# Number formats that every workbook has without declaring them (18.8.30) and that show a date or a time.
BUILT_IN_DATES = {str(number) for number in (*range(14, 23), 45, 46, 47)}
BUILT_IN_DURATIONS = {"46"}
_QUOTED_OR_BRACKETED = re.compile(r'".*?"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]')
_DATE_LETTER = re.compile(r"(?<![_\\])[dmhys]", re.IGNORECASE)
_DURATION = re.compile(r"\[(hh?|mm?|ss?)\]", re.IGNORECASE)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLAIN_STRING = re.compile(rb'<si><t(?: xml:space="preserve")?>([ -%\'-;=?-~]*+)</t></si>')


@dataclass(frozen=True, slots=True)
class Shared:
    """What a workbook's sheets have in common.

    strings: index as written -> text; dates, durations: the cell styles, as written, whose numbers are one; epoch: the
    day zero of the workbook's dates.
    """

    strings: Mapping[str, str]
    dates: frozenset[str]
    durations: frozenset[str]
    epoch: datetime


class Text:
    """A text of a cell as its XML arrives: runs joined, phonetic readings left out (18.4.8)."""

    def __init__(self, part: str, limits: Limits) -> None:
        self.pieces: list[str] = []
        self._part = part
        self._limits = limits
        self._runs: list[str] = []
        self._phonetic = False
        self._depth = 0

    def start(self, tag: str, _: object = None) -> None:
        self._depth += 1
        if tag in ("t", "v"):
            self.pieces.clear()
        elif tag == "rPh":
            self._phonetic = True

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag in ("t", "v") and not self._phonetic:
            self._runs.extend(self.pieces)
        elif tag == "rPh":
            self._phonetic = False

    def take(self) -> str:
        text = "".join(self._runs)
        self._runs.clear()
        return text

    def check(self) -> None:
        """To be called now and then, while a text or an element may be growing without an end. Raises Unreadable."""
        if self._depth > DEPTH:
            raise too_deep(self._part)
        if any(len(pieces) > 1 and sum(map(len, pieces)) > self._limits.text for pieces in (self.pieces, self._runs)):
            raise too_long(self._part, self._limits)


def shared_strings(package: Package, part: str) -> dict[str, str]:
    """The texts of a `sharedStrings` part by their index as written; runs joined, phonetic readings left out."""
    limits = package.limits
    strings: dict[str, str] = {}
    text = Text(part, limits)
    characters = 0

    def add(string: str) -> None:
        nonlocal characters
        characters += len(string)
        if len(string) > limits.text:
            raise too_long(part, limits)
        strings[str(len(strings))] = unescaped(string)

    def end(tag: str) -> None:
        text.end(tag)
        if tag == "si":
            add(text.take())

    def add_all(plain: list[bytes]) -> None:
        nonlocal characters
        texts = b"\0".join(plain).decode("ascii").split("\0") if plain else []
        if any(len(string) > limits.text or "_x" in string for string in texts):
            for string in texts:
                add(string)
            return
        characters += sum(map(len, texts))
        strings.update(zip(map(str, range(len(strings), len(strings) + len(texts))), texts, strict=True))

    parser = xml_parser(part, text.start, end, text.pieces.append)
    for _ in package.parse(part, parser, sift(_PLAIN_STRING, b"<si", add_all)):
        text.check()
        if max(characters / limits.characters, len(strings) / limits.strings) > 1:
            raise too_much_text(limits)
    return strings


def date_styles(package: Package, part: str) -> tuple[frozenset[str], frozenset[str]]:
    """The indices, as written, of the cell styles in a `styles` part that show dates, and those that show durations."""
    codes: dict[str, str] = {}
    formats: list[str] = []
    for element in package.elements(part, "numFmt", "xf"):
        if element.tag == "numFmt" and element.parent == "numFmts":
            codes[element.attributes.get("numFmtId", "")] = element.attributes.get("formatCode", "")
        elif element.tag == "xf" and element.parent == "cellXfs":
            formats.append(element.attributes.get("numFmtId", "0"))
    dates = (BUILT_IN_DATES - codes.keys()) | {number for number, code in codes.items() if is_date_format(code)}
    durations = (BUILT_IN_DURATIONS - codes.keys()) | {n for n, code in codes.items() if is_duration_format(code)}
    return (
        frozenset(str(style) for style, number in enumerate(formats) if number in dates),
        frozenset(str(style) for style, number in enumerate(formats) if number in dates & durations),
    )


def is_date_format(code: str) -> bool:
    """Whether a number format (18.8.31) shows a date or a time; its first section, for positive numbers, tells."""
    return _DATE_LETTER.search(_QUOTED_OR_BRACKETED.sub("", code.split(";")[0])) is not None


def is_duration_format(code: str) -> bool:
    """Whether a number format shows elapsed time, such as `[h]:mm`."""
    return _DURATION.search(code.split(";")[0]) is not None


@lru_cache(maxsize=4096)
def moment(serial: float, epoch: datetime) -> datetime | time:
    """Excel's serial day -> date and time, to the millisecond; a time of day below 1, where no day is.

    Serial 60 is a 29 February 1900 that never was: the days before it are off by one. Raises OverflowError or
    ValueError beyond the year 9999.
    """
    day, fraction = divmod(serial, 1)
    rest = timedelta(milliseconds=round(fraction * 86_400_000))
    if 0 <= serial < 1 and not rest.days:
        return (epoch + rest).time()
    if 0 < serial < 60 and epoch == EPOCH_1900:
        day += 1
    return epoch + timedelta(days=day) + rest


def duration(serial: float) -> timedelta:
    """Excel's serial day -> elapsed time, to the millisecond. Raises OverflowError."""
    return timedelta(milliseconds=round(serial * 86_400_000))


def unescaped(text: str) -> str:
    """`_x000D_` -> a carriage return (22.9.2.19), for what a text can hold; other escapes stay as they are."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: _escaped_character(int(match[1], 16)) or match[0], text)


def _escaped_character(code: int) -> str:
    character = chr(code)
    return character if character.isprintable() or character in "\t\n\r\xa0" else ""


def too_long(where: str, limits: Limits) -> Unreadable:
    return Unreadable(Reason.CELL_TOO_LONG, f"cell too long: over {limits.text:,} characters in {quoted(where)}")


def too_much_text(limits: Limits) -> Unreadable:
    most = f"{limits.characters:,} characters or {limits.strings:,} shared strings"
    return Unreadable(Reason.TOO_MANY_CELLS, f"too many cells: over {most}")


@lru_cache(maxsize=4096)
def read_number(text: str) -> int | float | str:
    """A number as Excel writes it; what is none stays a text, so that it is seen and not guessed at."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def read_iso_date(text: str) -> Value:
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            value = read(text.strip())
        except ValueError:
            continue
        return value if not isinstance(value, datetime | time) else value.replace(tzinfo=None)
    return text
