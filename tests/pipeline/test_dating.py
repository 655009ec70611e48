"""When a workbook was published: names that lie, clocks that lag, and which of them is believed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipeline.dating import name_date, name_time, published_on
from pipeline.derive import seen_by_name


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("participatingAgencies03032025am.xlsx", "2025-03-03 08:00"),
        ("participatingAgencies03032025mid.xlsx", "2025-03-03 12:00"),
        ("participatingAgencies03032025pm.xlsx", "2025-03-03 16:00"),
        ("participatingAgencies03032025pm_b.xlsx", "2025-03-03 16:00"),
        ("participatingAgencies03032025amB.xlsx", "2025-03-03 08:00"),
        ("participatingAgencies03032025PM2.xlsx", "2025-03-03 16:00"),
        ("ParticipatingAgency03032025.xlsx", "2025-03-03 12:00"),
        ("287gparticipatingAgencies03032025am.xlsx", "2025-03-03 08:00"),
        ("participatingAgencies030325am.xlsx", "2025-03-03 08:00"),
        ("participatingAgencies 03032025 pm 1630.xlsx", "2025-03-03 16:00"),
        ("participatingAgencies.xlsx", None),
        ("participatingAgencies090022025am.xlsx", None),  # nine digits
        ("participatingAgencies-20250221214937.xlsx", None),  # another project's time stamp
        ("participatingAgencies13322025am.xlsx", None),  # no such month
        ("participatingAgencies02302025am.xlsx", None),  # no such day
        ("123456.xlsx", None),
        ("", None),
    ],
)
def test_a_name_gives_a_time_only_if_a_date_stands_in_it(name: str, expected: str | None) -> None:
    assert name_time(name) == (at(expected) if expected else None)
    assert name_date(name) == (at(expected).date() if expected else None)


@pytest.mark.parametrize(
    ("why", "name", "modified", "last_modified", "seen", "expected"),
    [
        ("the name, as a rule", "a09022025pm.xlsx", "2025-09-02", "2025-09-02", "2025-09-02", "2025-09-02 file_name"),
        ("a list that lags its name over a weekend", "a09082025am.xlsx", "2025-09-05", None, "2025-09-08",
         "2025-09-08 file_name"),
        ("08022025pm was 2 September", "a08022025pm.xlsx", "2025-09-02", "2025-09-02", "2025-09-03",
         "2025-09-02 last_modified"),
        ("the same without the server's word", "a08022025pm.xlsx", "2025-09-02", None, "2025-09-03",
         "2025-09-02 workbook"),
        ("nine digits", "a090022025am.xlsx", "2025-09-02", None, "2025-09-02", "2025-09-02 workbook"),
        ("01052025pm was January 2026", "a01052025pm.xlsx", "2026-01-05", None, "2026-01-05", "2026-01-05 workbook"),
        ("a name from the future", "a09022035pm.xlsx", None, None, "2025-09-02", "2025-09-02 seen"),
        ("nothing known", "a.xlsx", None, None, "2025-09-02", "2025-09-02 seen"),
        ("the evening of Washington is tomorrow in UTC", "a09012025pm.xlsx", "2025-09-02", None, "2025-09-02",
         "2025-09-01 file_name"),
        ("a server's clock before the workbook existed", "a.xlsx", "2025-09-02", "2025-01-01", "2025-09-03",
         "2025-09-02 workbook"),
        ("a workbook modified after it was seen", "a.xlsx", "2031-01-01", None, "2025-09-03", "2025-09-03 seen"),
    ],
)  # fmt: skip
def test_a_clock_is_believed_between_the_making_of_the_workbook_and_its_sighting(
    why: str, name: str, modified: str | None, last_modified: str | None, seen: str, expected: str
) -> None:
    day, clock = expected.split()
    made, served = (at(text) if text else None for text in (modified, last_modified))

    assert published_on(name, made, served, at(seen)) == (date.fromisoformat(day), clock), why


@pytest.mark.parametrize(
    ("why", "name", "modified", "expected"),
    [
        ("both agree", "a09022025pm.xlsx", "2025-09-02 13:00", "2025-09-02 16:00"),
        ("modified after the part of day in the name", "a09022025am.xlsx", "2025-09-02 19:00", "2025-09-02 19:00"),
        ("posted after a weekend", "a09082025am.xlsx", "2025-09-05 20:00", "2025-09-08 08:00"),
        ("a month early in the name", "a08022025pm.xlsx", "2025-09-02 13:00", "2025-09-02 13:00"),
        ("a year early in the name", "a01052025pm.xlsx", "2026-01-05 13:00", "2026-01-05 13:00"),
        ("an old list under a new date", "a04212025am.xlsx", "2025-03-06 13:00", "2025-03-06 13:00"),
        ("no date in the name", "a.xlsx", "2025-09-02 13:00", "2025-09-02 13:00"),
        ("no property in the workbook", "a09022025am.xlsx", None, "2025-09-02 08:00"),
        ("neither", "a.xlsx", None, None),
    ],
)
def test_a_file_without_a_record_is_dated_by_its_name_unless_the_workbook_says_otherwise(
    why: str, name: str, modified: str | None, expected: str | None
) -> None:
    found = seen_by_name(name, at(modified) if modified else None)

    assert found == (at(expected) if expected else None), why
