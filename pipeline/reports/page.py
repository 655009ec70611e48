"""Events as one self-contained web page, readable on a telephone, light or dark as the reader's system is."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from pipeline.reports import text
from pipeline.reports.escaping import printable
from pipeline.reports.grouping import Group, group
from pipeline.reports.markdown import event_links
from pipeline.reports.record import LoggedEvent, Selection
from pipeline.reports.wording import counts, list_title, tell


def render(events: Sequence[LoggedEvent], selection: Selection) -> str:
    """The report as HTML: no script, nothing loaded from elsewhere, everything from ICE escaped."""
    return _template().render(summary=text.summary(events, selection), groups=[_group(some) for some in group(events)])


@cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)


def _group(some: Group) -> dict[str, Any]:
    return {
        "published_on": printable(some.published_on),
        "title": list_title(some.list),
        "counts": counts(some.events),
        "workbook": printable(some.workbook_name),
        "items": [_item(event) for event in some.events],
    }


def _item(event: LoggedEvent) -> dict[str, Any]:
    sentence = tell(event)
    return {
        "id": event.event_id,
        "kind": event.kind.value,
        "status": event.status.value,
        "subject": sentence.subject,
        "details": sentence.details,
        "links": event_links(event),
    }
