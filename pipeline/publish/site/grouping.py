"""Events -> days, groups of a kind within a day, and parts that a page can hold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from db.records import Kind, Status
from pipeline.publish.site.model import Told

SORTS = (
    "terminated",
    "provisional",
    "retracted",
    "new",
    "renewed",
    "reinstated",
    "withdrawn",
    "pending",
    "corrected",
    "link_posted",
    "link_replaced",
    "link_withdrawn",
    "addendum_posted",
    "addendum_replaced",
    "addendum_withdrawn",
)
"""The groups of a day, the most serious first; each has a heading in text.toml."""

BRIEF = frozenset(sort for sort in SORTS if sort.startswith(("link", "addendum")))
"""Groups of which only the agencies are named."""

PART = 150
"""The most events on a page of changes."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event in a group; `field` is the change that it is there for, where it is a correction."""

    told: Told
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one sort, by state and name."""

    sort: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """What changed with the lists of a date."""

    on: str
    groups: tuple[Group, ...]


def days(told: Iterable[Told]) -> list[Day]:
    """Group events, given by date, into days."""
    return [Day(on, tuple(_groups(some))) for on, some in groupby(told, lambda one: one.event.published_on)]


def _groups(told: Iterable[Told]) -> Iterator[Group]:
    found: dict[str, list[Line]] = {}
    for one in told:
        for sort, line in _sorted(one):
            found.setdefault(sort, []).append(line)
    for sort in SORTS:
        if sort in found:
            yield Group(sort, tuple(sorted(found[sort], key=_place)))


def _sorted(told: Told) -> Iterator[tuple[str, Line]]:
    event = told.event
    if event.status is Status.RETRACTED:
        yield "retracted", Line(told)
    elif event.status is Status.PROVISIONAL:
        yield "provisional", Line(told)
    elif event.kind is not Kind.CHANGED:
        yield event.kind, Line(told)
    else:
        for name in event.changes:
            sort = event.change_classes.get(name, "").replace(" ", "_")
            yield (sort if sort in BRIEF else "corrected"), Line(told, name)


def _place(line: Line) -> tuple[str, str, str]:
    event = line.told.event
    return event.state or "", event.agency.casefold(), event.event_id


def parts(told: Sequence[Told], most: int = PART) -> list[Sequence[Told]]:
    """Cut events, given by date, into parts of about so many; a day stays whole where it can.

    A part is cut from the front, so that what comes later does not move what is there.
    """
    found: list[list[Told]] = []
    for _, some in groupby(told, lambda one: one.event.published_on):
        day = list(some)
        if found and len(found[-1]) + len(day) <= most:
            found[-1] += day
        else:
            found += [day[start : start + most] for start in range(0, len(day), most)]
    return list(found)
