"""Cells of another tracker's list -> models and dates, in the forms that trackers use and ICE does not."""

import re
from collections.abc import Iterable
from datetime import date

from pipeline.reading.cells import Value
from pipeline.reading.dates import read_date
from pipeline.reading.normalize import JEM, TFM, WSO, show, support_model
from pipeline.reading.places import fold

_MODELS = {"jail": JEM, "jail model": JEM, "warrant": WSO, "warrant model": WSO}
_EVERY = frozenset({"all three", "all 3", "all three models", "all 3 models", "all models"})
_PROGRAM = re.compile(r"^\s*287\s*\(?g\)?\s*", re.IGNORECASE)
_PARTS = re.compile(r"[,;/|+&\n]|\s-\s|\band\b", re.IGNORECASE)
_BRACKETS = re.compile(r"\(([^()]*)\)")

_DAY_AND_MONTH = re.compile(r"\s*(\d{1,2})([/.-])(\d{1,2})[/.-](?:\d{4}|\d{2})\s*")
_SERIAL = re.compile(r"\s*(\d{5})(?:\.0+)?\s*")
_SERIALS = range(40_000, 60_001)  # 2009-07-06 to 2064-04-08
_MONTHS = 12


def models(text: str) -> tuple[str, ...]:
    """The support models that a cell names, in its order; none if any part of it cannot be read.

    `Task Force Model (TFM)` is one, `JEM, WSO` and `TFM/WSO` are two, `All three` are three.
    """
    plain = _PROGRAM.sub("", text)
    if fold(plain) in _EVERY:
        return (JEM, WSO, TFM)
    if (one := _model(plain)) is not None:
        return (one,)
    parts = [part for part in _PARTS.split(_BRACKETS.sub(r", \1, ", plain)) if fold(part)]
    if len(parts) == 1:
        parts = fold(parts[0]).split()
    found = [_model(part) for part in parts]
    known = [model for model in found if model is not None]
    return tuple(dict.fromkeys(known)) if len(known) == len(found) else ()


def _model(text: str) -> str | None:
    return support_model(text) or _MODELS.get(fold(text))


def day_first(values: Iterable[Value | None]) -> bool | None:
    """Whether the dates of a column, as texts, put the day before the month; None where they do not tell.

    A number above 12 tells. Where none does, or they contradict one another, nothing is told.
    """
    found = [match for value in values if (match := _DAY_AND_MONTH.fullmatch(show(value)))]
    first = any(int(match[1]) > _MONTHS for match in found)
    second = any(int(match[3]) > _MONTHS for match in found)
    return first if first != second else None


def signing_date(value: Value | None, is_day_first: bool | None) -> tuple[date | None, bool]:
    """A cell of the column of signing dates -> the date, and whether the cell could be read (a blank one can).

    Where the column does not tell, `3/4/2025` is 4 March, as Americans write it, and `3.4.2025` 3 April, as others do.
    A whole number from 40000 to 60000 is a date as Excel stores it.
    """
    text = show(value)
    if (serial := _SERIAL.fullmatch(text)) and int(serial[1]) in _SERIALS:
        value = int(serial[1])
    elif match := _DAY_AND_MONTH.fullmatch(text):
        value = _american(text, match, is_day_first)
    day, code = read_date(value)
    return day, day is not None or code is None


def _american(text: str, match: re.Match[str], is_day_first: bool | None) -> str:
    """Month before day, as `read_date` takes it."""
    swapped = match[2] == "." if is_day_first is None else is_day_first
    if int(match[1]) > _MONTHS or int(match[3]) > _MONTHS:
        swapped = int(match[1]) > _MONTHS
    if not swapped:
        return text
    return f"{match[3]}/{match[1]}/{text[match.end(3) + 1 :].strip()}"
