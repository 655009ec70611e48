"""Digests come once a day or week of the subscriber's own clock, whatever is done to that clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.notify.schedule import DAYS, Digest
from pipeline.notify.settings import read_digest

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/St_Johns",  # until 2011 its clocks went back at one minute past midnight, into the day before
    "UTC",
)

digests = st.builds(
    Digest,
    st.none() | st.integers(0, 6),
    st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    st.sampled_from(ZONES).map(ZoneInfo),
)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moments(digest: Digest, start: datetime, end: datetime) -> list[datetime]:
    """Those after `start` and up to `end`."""
    found = []
    while (start := digest.next(start)) <= end:
        found.append(start)
    return found


@settings(deadline=None)
@given(digests, instants)
@example(read_digest("daily 00:00 America/St_Johns"), datetime(2010, 11, 7, 2, 45, tzinfo=UTC))
@example(read_digest("friday 08:00 Pacific/Apia"), datetime(2011, 12, 30, 18, tzinfo=UTC))
def test_now_is_between_the_last_and_the_next_moment_and_nothing_else_is(digest: Digest, now: datetime) -> None:
    last, following = digest.last(now), digest.next(now)

    assert last <= now < following
    assert digest.next(last) == following
    assert digest.last(following - timedelta(microseconds=1)) == last
    assert digest.last(following) == following


@settings(deadline=None)
@given(digests, instants, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_the_last_moment_never_goes_back(digest: Digest, now: datetime, later: timedelta) -> None:
    assert digest.last(now) <= digest.last(now + later)
    assert digest.next(now) <= digest.next(now + later)


@settings(deadline=None)
@given(digests, instants)
def test_moments_are_in_utc_on_the_wanted_weekday(digest: Digest, now: datetime) -> None:
    last = digest.last(now)

    assert last.tzinfo is UTC
    local = last.astimezone(digest.zone)
    skipped = (local.date(), digest.zone.key) == (date(2011, 12, 31), "Pacific/Apia")
    assert digest.day in (None, local.weekday()) or skipped


@pytest.mark.parametrize("at", ["00:00", "01:30", "02:00", "02:15", "02:30", "03:00", "03:30", "08:00", "23:59"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2010, 2020, 2026])
def test_every_local_day_of_a_year_has_exactly_one_digest(zone: str, at: str, year: int) -> None:
    digest = read_digest(f"daily {at} {zone}")
    start = datetime(year, 1, 1, tzinfo=digest.zone).astimezone(UTC) - timedelta(microseconds=1)
    end = datetime(year + 1, 1, 1, tzinfo=digest.zone).astimezone(UTC) - timedelta(microseconds=1)

    days = [found.astimezone(digest.zone).date() for found in moments(digest, start, end)]

    first = date(year, 1, 1)
    assert days == [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("zone", ZONES)
def test_every_week_of_a_year_has_exactly_one_digest(zone: str, day: str) -> None:
    digest = read_digest(f"{day} 02:30 {zone}")

    found = moments(digest, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

    local = [one.astimezone(digest.zone).date() for one in found]
    assert {one.weekday() for one in local} == {DAYS.index(day)}
    assert {later - before for before, later in pairwise(local)} == {timedelta(days=7)}
    assert set(Counter(one.isocalendar()[:2] for one in local).values()) == {1}
    assert len(local) in (52, 53)


@pytest.mark.parametrize(
    ("written", "before", "told"),
    [
        # skipped: as if the clocks had not been put forward
        ("daily 02:30 America/New_York", "2026-03-08T00:00-05:00", "2026-03-08T03:30-04:00"),
        ("daily 02:00 Europe/Berlin", "2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00"),
        ("daily 02:15 Australia/Lord_Howe", "2026-10-04T00:00+10:30", "2026-10-04T02:45+11:00"),
        ("sunday 02:30 America/New_York", "2026-03-08T00:00-05:00", "2026-03-08T03:30-04:00"),
        # twice: the first time
        ("daily 01:30 America/New_York", "2026-11-01T00:00-04:00", "2026-11-01T01:30-04:00"),
        ("daily 01:30 America/New_York", "2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"),
        ("daily 02:30 Europe/Berlin", "2026-10-25T00:00+02:00", "2026-10-25T02:30+02:00"),
        ("daily 01:45 Australia/Lord_Howe", "2026-04-05T00:00+11:00", "2026-04-05T01:45+11:00"),
        # a day that Samoa left out: with the next day's
        ("daily 08:00 Pacific/Apia", "2011-12-29T08:00-10:00", "2011-12-31T08:00+14:00"),
        ("daily 08:00 Pacific/Apia", "2011-12-31T08:00+14:00", "2012-01-01T08:00+14:00"),
        ("friday 08:00 Pacific/Apia", "2011-12-29T08:00-10:00", "2011-12-31T08:00+14:00"),
        # plain
        ("daily 08:00 Asia/Kathmandu", "2026-05-01T07:59+05:45", "2026-05-01T08:00+05:45"),
        ("monday 08:00 America/Chicago", "2026-05-04T08:00-05:00", "2026-05-11T08:00-05:00"),
    ],
)
def test_what_becomes_of_a_time_that_the_clocks_skip_or_repeat(written: str, before: str, told: str) -> None:
    digest = read_digest(written)

    assert digest.next(moment(before)) == moment(told)
    assert digest.last(moment(told)) == moment(told)


def test_a_moment_that_has_come_is_the_last_at_once() -> None:
    digest = read_digest("daily 08:00 UTC")
    at = moment("2026-05-01T08:00+00:00")

    assert digest.last(at - timedelta(microseconds=1)) == at - timedelta(days=1)
    assert digest.last(at) == at
    assert digest.next(at) == at + timedelta(days=1)


def test_midnight_that_comes_again_is_not_taken_back() -> None:
    digest = read_digest("daily 00:00 America/St_Johns")
    midnight = moment("2010-11-07T00:00-02:30")
    again = moment("2010-11-06T23:30-03:30")

    assert again > midnight
    assert digest.last(again) == midnight
    assert digest.next(again) == moment("2010-11-08T00:00-03:30")


@settings(deadline=None)
@given(digests)
def test_a_digest_reads_as_it_is_written(digest: Digest) -> None:
    assert read_digest(str(digest)) == digest


@pytest.mark.parametrize("text", ["Daily 08:00 America/Chicago", "  daily   08:00 America/Chicago "])
def test_capitals_and_spaces_do_not_matter(text: str) -> None:
    assert str(read_digest(text)) == "daily 08:00 America/Chicago"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "daily",
        "daily 08:00",
        "08:00 America/Chicago",
        "weekly 08:00 America/Chicago",
        "mon 08:00 America/Chicago",
        "daily 8:00 America/Chicago",
        "daily 24:00 America/Chicago",
        "daily 08:60 America/Chicago",
        "daily 08:00:00 America/Chicago",
        "daily ٠٨:٠٠ America/Chicago",
        "daily 08:00 America/Chicago at least",
    ],
)
def test_what_is_no_time_for_a_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is no time for a digest; write `daily 08:00 America/Chicago`, or "):
        read_digest(text)


@pytest.mark.parametrize(
    "zone", ["America", "America/Chigaco", "/etc/passwd", "../etc/passwd", "zone.tab", "ü", "x" * 5000, "\0"]
)
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=r"^names no time zone of this machine; write `daily") as refused:
        read_digest(f"daily 08:00 {zone}")
    assert zone == "America" or zone not in str(refused.value)
