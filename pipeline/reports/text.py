"""Events as lines of text for a terminal, a pipe or the body of a mail."""

from collections.abc import Callable, Iterable, Sequence

from db.records import Kind, Status
from pipeline.reports.escaping import printable
from pipeline.reports.grouping import Group, group
from pipeline.reports.record import LoggedEvent, Selection
from pipeline.reports.wording import counts, list_title, plural, scope, tell

Paint = Callable[[str, str], str]
"""Colours a text by what it is: a kind of event, `retracted`, `heading` or `aside`."""

_KIND_WIDTH = max(map(len, Kind))


def plain(text: str, _what: str) -> str:
    """The paint of a pipe: none."""
    return text


def render(events: Sequence[LoggedEvent], selection: Selection, paint: Paint = plain) -> str:
    """The report: a heading with counts, then a paragraph for each workbook. No newline at the end."""
    if not events:
        return paint(summary(events, selection), "heading")
    paragraphs = ["\n".join(_paragraph(some, paint)) for some in group(events)]
    return "\n\n".join((paint(summary(events, selection), "heading"), *paragraphs))


def summary(events: Sequence[LoggedEvent], selection: Selection) -> str:
    """The heading: `13 events, participating list, from 2025-06-27: 1 terminated, 12 new`."""
    where = f", {about}" if (about := scope(selection)) else ""
    if not events:
        return f"No events{where}."
    return f"{plural(len(events), 'event')}{where}: {counts(events)}"


def _paragraph(some: Group, paint: Paint) -> Iterable[str]:
    heading = f"{some.published_on}  {list_title(some.list)}, {printable(some.workbook_name)}: {counts(some.events)}"
    yield paint(heading, "heading")
    for event in some.events:
        yield line(event, paint)


def line(event: LoggedEvent, paint: Paint = plain) -> str:
    """One event: its kind, the record in words, and how to ask for more."""
    colour = "retracted" if event.status is Status.RETRACTED else event.kind
    kind = paint(f"{event.kind.upper():<{_KIND_WIDTH}}", colour)
    row = f"row {event.row}, " if event.row else ""
    return f"{kind}  {tell(event)}  {paint(f'[{row}{event.event_id}]', 'aside')}"
