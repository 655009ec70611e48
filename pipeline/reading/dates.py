"""Signing dates as ICE types them -> dates; what cannot be read is said, not guessed."""

import re
from datetime import date, datetime, timedelta

FIRST_AGREEMENT = date(2002, 1, 1)
"""The 287(g) program's first agreement was signed in 2002 (Florida); nothing on the lists can be older."""

_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]?(\d{4}|\d{2})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_NAMED = ("%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y")
_EXCEL_EPOCH = date(1899, 12, 30)
_SERIALS = range(37_000, 73_000)  # 2001-04-19 to 2099-11-10


def read_date(value: object) -> tuple[date | None, str | None]:
    """A SIGNED cell -> (date or None, the oddity's code or None).

    Codes: `date_as_text` (a text that reads one way only, `7/72025`), `date_as_number` (an unformatted serial
    number), `date_impossible` (a year before 2002 or after 2099, as 5025-07-07), `date_unreadable`.
    A blank cell is (None, None).
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, None
    if isinstance(value, datetime):
        return _plausible(value.date(), None)
    if isinstance(value, date):
        return _plausible(value, None)
    if isinstance(value, int | float) and not isinstance(value, bool) and int(value) in _SERIALS:
        return _EXCEL_EPOCH + timedelta(days=int(value)), "date_as_number"
    if isinstance(value, str):
        parsed = _from_text(" ".join(value.split()))
        return _plausible(parsed, "date_as_text") if parsed else (None, "date_unreadable")
    return None, "date_unreadable"


def _plausible(day: date, code: str | None) -> tuple[date | None, str | None]:
    return (day, code) if FIRST_AGREEMENT <= day <= date(2099, 12, 31) else (None, "date_impossible")


def _from_text(text: str) -> date | None:
    try:
        if match := _SLASHED.fullmatch(text):
            month, day, year = (int(part) for part in match.groups())
            return date(year + 2000 if year < 100 else year, month, day)
        if match := _ISO.fullmatch(text):
            return date(*(int(part) for part in match.groups()[:3]))
    except ValueError:
        return None
    for form in _NAMED:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar date has no zone
        except ValueError:
            continue
    return None
