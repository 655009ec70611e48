"""The archive's sightings as postings on a page that checks visit hourly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from math import ceil
from pathlib import Path
from zipfile import ZipFile

from tests.replay import Seen

APART = 4
"""Hours, and so checks, between two moments at which something is posted."""

_TOGETHER = timedelta(minutes=10)
_QUIET_END = 24


@dataclass(frozen=True, slots=True)
class Posting:
    """A sighting, and the hour of the simulated year at which its list is posted."""

    seen: Seen
    list: str
    hour: int


@cache
def list_of(path: Path) -> str:
    """The list that a workbook is of: by its columns, since each has been posted under the other's name."""
    with ZipFile(path) as workbook:
        parts = [name for name in workbook.namelist() if name.startswith(("xl/sharedStrings", "xl/worksheets/sheet"))]
        signed = any(b"SIGNED" in workbook.read(name) for name in parts)
    return "participating" if signed else "pending"


def spread(sightings: Sequence[Seen], hours: int) -> list[Posting]:
    """The sightings, in the order of the archive, over so many hours.

    Time is stretched so that they fill the hours, but for a day at the end. What was seen within ten minutes is posted
    at once, and what was not at least four hours apart, even where it was nearer: so each list stands for four checks
    or more. The first list of each kind is there from the beginning: a page without a participating list is a failure.
    """
    moments = _moments(sightings)
    real = [min(seen.seen_at for seen in moment) for moment in moments]
    span = max(1.0, (real[-1] - real[0]) / timedelta(hours=1))
    room = hours - _QUIET_END
    postings: list[Posting] = []
    hour = -APART
    for number, moment in enumerate(moments):
        wished = round((real[number] - real[0]) / timedelta(hours=1) * room / span)
        latest = room - APART * (len(moments) - 1 - number)  # leaves room for those that come after
        hour = max(hour + APART, min(wished, latest))
        postings += [Posting(seen, list_of(seen.path), hour) for seen in moment]
    return sorted(postings, key=lambda posting: (posting.hour, posting.list))


def _moments(sightings: Sequence[Seen]) -> list[list[Seen]]:
    """What was posted at once: never two of one list."""
    first = {list_of(seen.path): seen for seen in reversed(sightings)}
    found = [list(first.values())]
    for seen in sightings:
        if seen in found[0]:
            continue
        last = found[-1]
        lists = {list_of(one.path) for one in last}
        if len(found) > 1 and seen.seen_at - last[0].seen_at <= _TOGETHER and list_of(seen.path) not in lists:
            last.append(seen)
        else:
            found.append([seen])
    return found


def beginning(postings: Iterable[Posting]) -> datetime:
    """The earliest full hour from which no list is posted before it really was."""
    earliest = max(posting.seen.seen_at - timedelta(hours=posting.hour) for posting in postings)
    whole = ceil(earliest.timestamp() / 3600) * 3600
    return datetime.fromtimestamp(whole, UTC)


def last_chances(postings: Sequence[Posting]) -> set[int]:
    """The hours of the last checks before something else is posted: who has not seen a list by then never will."""
    hours = [hour for hour, _ in groupby(posting.hour for posting in postings)]
    return {hour - 1 for hour in hours if hour}
