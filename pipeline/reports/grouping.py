"""Events -> the groups in which people read them: a group a workbook, by date, the most serious first."""

from collections.abc import Iterable
from dataclasses import dataclass

from db.records import ListName
from pipeline.reports.record import LoggedEvent
from pipeline.reports.wording import GRAVITY


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one workbook: terminations first, within a kind by state and agency."""

    published_on: str
    list: ListName
    workbook_name: str
    events: tuple[LoggedEvent, ...]


def group(events: Iterable[LoggedEvent]) -> list[Group]:
    """Group events by date, list (participating first) and workbook; workbooks in the order of the events."""
    found: dict[tuple[str, bool, str], list[LoggedEvent]] = {}
    for event in events:
        key = event.published_on, event.list is ListName.PENDING, event.workbook_sha256
        found.setdefault(key, []).append(event)
    return [
        Group(some[0].published_on, some[0].list, some[0].workbook_name, tuple(sorted(some, key=_gravity)))
        for _, some in sorted(found.items(), key=lambda item: item[0][:2])
    ]


def _gravity(event: LoggedEvent) -> tuple[int, str, str, str, str]:
    return (
        GRAVITY.index(event.kind),
        event.state or "",
        event.agency,
        event.support_model or "",
        event.event_id,
    )
