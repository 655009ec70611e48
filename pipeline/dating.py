"""When was a workbook published? Four clocks, none of which is always right.

The file name (wrong in three of five hundred: `08022025pm` was 2 September, `090022025am` has nine digits,
`01052025pm` was January 2026), the server's Last-Modified, the workbook's own dcterms:modified (may lag the name by a
weekend, never runs backwards), and the time of the sighting.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

_DIGITS = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{4}|\d{2})(?!\d)")
_PART_OF_DAY = re.compile(r"(?<=\d)[ _-]?(am|mid|pm)", re.IGNORECASE)
_HOURS = {"am": 8, "mid": 12, "pm": 16}
SLACK = timedelta(days=1)
"""ICE's names are in Washington's time, the other clocks in UTC."""


def name_date(file_name: str) -> date | None:
    """The date MMDDYYYY or MMDDYY in a file name, or None."""
    for match in _DIGITS.finditer(file_name):
        month, day, year = (int(part) for part in match.groups())
        try:
            return date(year + 2000 if year < 100 else year, month, day)
        except ValueError:
            continue
    return None


def name_time(file_name: str) -> datetime | None:
    """A moment (UTC) for a file name with a date: 8:00, 12:00 or 16:00 for am, mid and pm, noon without.

    Only for putting files in order that have no other time.
    """
    day = name_date(file_name)
    if day is None:
        return None
    part = _PART_OF_DAY.search(file_name)
    return datetime.combine(day, time(_HOURS[part.group(1).lower()] if part else 12), tzinfo=UTC)


def published_on(
    file_name: str, modified: datetime | None, last_modified: datetime | None, seen_at: datetime
) -> tuple[date, str]:
    """The date of publication and the clock that gives it: file_name, last_modified, workbook or seen.

    A clock is believed if it is not before the workbook was last modified nor after it was seen, a day's slack aside.
    """
    earliest = modified.date() - SLACK if modified else date.min
    latest = seen_at.date() + SLACK
    clocks = (
        (name_date(file_name), "file_name"),
        (last_modified.date() if last_modified else None, "last_modified"),
        (modified.date() if modified else None, "workbook"),
    )
    for day, clock in clocks:
        if day is not None and earliest <= day <= latest:
            return day, clock
    return seen_at.date(), "seen"
