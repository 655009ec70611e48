"""Events as lines of text for a terminal, a pipe or the body of a mail."""

import re
from collections.abc import Callable, Iterable, Sequence

from db.records import Kind, Status
from pipeline.reports.escaping import printable
from pipeline.reports.grouping import Group, group
from pipeline.reports.record import LoggedEvent, Reach, Selection
from pipeline.reports.wording import counts, evidence, list_title, plural, scope, tell

Paint = Callable[[str, str], str]
"""Colours a text by what it is: a kind of event, `retracted`, `heading` or `aside`."""

_KIND_WIDTH = max(map(len, Kind))


def plain(text: str, _what: str) -> str:
    """The paint of a pipe: none."""
    return text


def render(
    events: Sequence[LoggedEvent], selection: Selection, paint: Paint = plain, reach: Reach | None = None
) -> str:
    """The report: a heading with counts, then a paragraph for each workbook. No newline at the end."""
    paragraphs = ["\n".join(_paragraph(some, paint)) for some in group(events, selection)]
    return "\n\n".join((paint(summary(events, selection, reach), "heading"), *paragraphs))


def summary(events: Sequence[LoggedEvent], selection: Selection, reach: Reach | None = None) -> str:
    """The heading: `13 events, participating list, from 2025-06-27: 1 terminated, 12 new`."""
    where = f", {about}" if (about := scope(selection)) else ""
    if not events:
        newest = reach and (f"the newest list is of {reach.newest}" if reach.newest else "the history has no list yet")
        return f"No events{where}{f'; {newest}' if newest else ''}."
    return f"{plural(len(events), 'event')}{where}: {counts(events)}"


def _paragraph(some: Group, paint: Paint) -> Iterable[str]:
    late = f" (told on {some.told_on})" if some.told_on else ""
    where = f"{list_title(some.list)}, {printable(some.workbook_name)}{late}"
    heading = f"{some.published_on}  {where}: {counts(some.events)}"
    yield paint(heading, "heading")
    for event in some.events:
        yield line(event, paint)


def line(event: LoggedEvent, paint: Paint = plain) -> str:
    """One event: its kind, the record in words, and how to ask for more."""
    colour = "retracted" if event.status is Status.RETRACTED else event.kind
    kind = paint(f"{event.kind.upper():<{_KIND_WIDTH}}", colour)
    shown = ", ".join(filter(None, (evidence(event), event.event_id)))
    return f"{kind}  {tell(event)}  {paint(f'[{shown}]', 'aside')}"


_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_HANGING = re.compile(r" *(\d{4}-\d\d-\d\d(  | to ))?([A-Z]{3,} +)?")


def wrapped(text: str, width: int) -> str:
    """A text, coloured or not, with no line longer than `width` if its words allow; continued under the words.

    Where a line begins with a date and a kind, its continuation stands under what follows them.
    """
    return "\n".join(part for one in text.split("\n") for part in _wrap(one, width))


def _wrap(text: str, width: int) -> Iterable[str]:
    bare = _ESCAPE.sub("", text)
    if len(bare) <= width:
        yield text
        return
    found = _HANGING.match(bare)
    kept = len(found[0]) if found and found[3] else len(bare) - len(bare.lstrip()) + 2
    indent = " " * min(kept, width // 3)
    words = re.split(r"(?<=\S)( +)(?=\S)", text)
    now, length = words[0], len(_ESCAPE.sub("", words[0]))
    for gap, word in zip(words[1::2], words[2::2], strict=True):
        size = len(_ESCAPE.sub("", word))
        if length + len(gap) + size > width and length > len(indent):
            yield now
            now, length = indent + word, len(indent) + size
        else:
            now, length = now + gap + word, length + len(gap) + size
    yield now
