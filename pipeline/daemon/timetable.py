"""The times of config.yaml -> APScheduler's triggers."""

from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from pipeline.config import EVERY

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat") * 2
"""By cron's numbers, in which 0 and 7 are Sunday: APScheduler's own begin on Monday."""


def trigger(text: str, zone: str, jitter_seconds: int = 0) -> BaseTrigger:
    """`23 * * * *` or `every 30 minutes` as a trigger, moved at random by up to `jitter_seconds`.

    Raises:
        ValueError: a field of the cron expression is out of range.
    """
    jitter = jitter_seconds or None
    if found := EVERY.fullmatch(text):
        unit = {f"{found[2]}s": int(found[1])}
        return IntervalTrigger(timezone=ZoneInfo(zone), jitter=jitter, **unit)
    minute, hour, day, month, weekday = text.split()
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=_named(weekday),
        timezone=ZoneInfo(zone),
        jitter=jitter,
    )


def _named(weekdays: str) -> str:
    """A cron expression's days of the week by name: `1-5` is `mon,tue,wed,thu,fri`, 0 and 7 are Sunday."""
    if weekdays == "*":
        return weekdays
    days: list[str] = []
    for part in weekdays.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = ("0", "", "6") if span == "*" else span.partition("-")
        begin, end = _number(first), _number(last or ("6" if step else first))
        days += [_DAYS[n] for n in range(begin, end + 1 if end >= begin else end + 8, int(step or 1))]
    return ",".join(dict.fromkeys(days))


def _number(day: str) -> int:
    if day in _DAYS:
        return _DAYS.index(day)
    if not day.isdecimal() or int(day) > 7:
        raise ValueError(f"there is no day {day!r} of the week")
    return int(day)
