"""Events -> the groups in which people read them: a group a workbook, by date, the most serious first."""

from collections.abc import Iterable
from dataclasses import dataclass

from db.records import ListName
from pipeline.reports.record import LoggedEvent, Selection
from pipeline.reports.wording import GRAVITY


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one workbook: terminations first, within a kind by state and agency.

    `told_on` is the date on which they were told, where only that date lies in the period of the report.
    """

    published_on: str
    list: ListName
    workbook_name: str
    events: tuple[LoggedEvent, ...]
    told_on: str | None = None


def group(events: Iterable[LoggedEvent], selection: Selection) -> list[Group]:
    """Group events by date, list (participating first) and workbook; workbooks in the order of the events.

    What was published before the period and told in it is grouped by the date on which it was told, too.
    """
    found: dict[tuple[str, bool, str, str], list[LoggedEvent]] = {}
    for event in events:
        told_on = "" if selection.spans(event.published_on) else next(filter(selection.spans, event.told_on), "")
        key = event.published_on, event.list is ListName.PENDING, told_on, event.workbook_sha256
        found.setdefault(key, []).append(event)
    return [
        Group(
            some[0].published_on, some[0].list, some[0].workbook_name, tuple(sorted(some, key=_gravity)), key[2] or None
        )
        for key, some in sorted(found.items(), key=lambda item: item[0][:3])
    ]


def _gravity(event: LoggedEvent) -> tuple[int, str, str, str, str]:
    return (
        GRAVITY.index(event.kind),
        event.state or "",
        event.agency,
        event.support_model or "",
        event.event_id,
    )
