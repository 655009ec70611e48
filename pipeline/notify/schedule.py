"""When a digest is due: the last moment of its schedule that has come, whatever was sent before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Digest:
    """Every day, or every week on `day` (0 is Monday), at a time of day in a time zone."""

    day: int | None
    at: time
    zone: ZoneInfo

    def last(self, now: datetime) -> datetime:
        """The latest moment of the schedule that is not after `now`, in UTC.

        A time of day that the clocks skip counts as if they had not been put forward: 02:30 as the 03:30 that comes in
        its place. One that comes twice counts the first time. A day that is skipped (Samoa's 30 December 2011) has its
        digest with the next day's.
        """
        today = now.astimezone(self.zone).date()
        for ahead in range(1, -9, -1):  # clocks that go back at midnight make tomorrow's moment come today
            moment = self._on(today + timedelta(days=ahead))
            if moment is not None and moment <= now:
                return moment
        raise AssertionError("a week has every weekday")

    def next(self, now: datetime) -> datetime:
        """The first moment of the schedule after `now`, in UTC."""
        today = now.astimezone(self.zone).date()
        for ahead in range(-1, 9):
            moment = self._on(today + timedelta(days=ahead))
            if moment is not None and moment > now:
                return moment
        raise AssertionError("a week has every weekday")

    def _on(self, day: date) -> datetime | None:
        if self.day not in (None, day.weekday()):
            return None
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"{'daily' if self.day is None else DAYS[self.day]} {self.at:%H:%M} {self.zone.key}"
