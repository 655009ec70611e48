"""Events as one self-contained web page, readable on a telephone, light or dark as the reader's system is."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from pipeline.reports import text
from pipeline.reports.escaping import printable
from pipeline.reports.grouping import Group, group
from pipeline.reports.markdown import event_links
from pipeline.reports.record import LoggedEvent, Reach, Selection
from pipeline.reports.wording import KEY, counts, coverage, evidence, list_title, tell, title


def render(events: Sequence[LoggedEvent], selection: Selection, reach: Reach | None = None) -> str:
    """The report as HTML: no script, nothing loaded from elsewhere, everything from ICE escaped."""
    return _template().render(
        title=title(selection, reach),
        summary=text.summary(events, selection, reach),
        coverage=coverage(reach),
        groups=[_group(some) for some in group(events, selection)],
        key=KEY,
    )


@cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["unbroken"] = _unbroken
    return environment.from_string(source)


_WHOLE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b[aep]-[0-9a-f]{10,12}\b")
_NUMBER = re.compile(r"\b(\d[\d,]*) ")


def _unbroken(text: str) -> Markup:
    """A text, escaped, in which no line ends within a date or an id."""
    return Markup(_WHOLE.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped


def _group(some: Group) -> dict[str, Any]:
    return {
        "published_on": printable(some.published_on),
        "title": list_title(some.list),
        "counts": Markup(_NUMBER.sub(r"\1&nbsp;", str(escape(counts(some.events))))),  # noqa: S704 - escaped
        "workbook": printable(some.workbook_name),
        "sha256": printable(some.events[0].workbook_sha256),
        "told_on": printable(some.told_on or ""),
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
        "evidence": evidence(event),
        "links": event_links(event),
    }
