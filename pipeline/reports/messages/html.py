"""A message as an HTML mail: inline styles only, nothing loaded from elsewhere, everything from ICE escaped."""

import re
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from pipeline.reports.messages import accounts, wording
from pipeline.reports.messages.content import Message
from pipeline.reports.messages.grouping import Sort, entries, sections
from pipeline.reports.messages.legend import TITLE, legend

_BAD, _GOOD, _NOTE, _PLAIN = "#a3201a", "#1b6b34", "#7a5200", "#1f4e79"

COLOURS = {
    Sort.TAKEN_BACK: _BAD,
    Sort.NEW: _GOOD,
    Sort.PROVISIONAL: _NOTE,
    Sort.TERMINATED: _BAD,
    Sort.SWITCHED: _PLAIN,
    Sort.SIGNED_ANEW: _PLAIN,
    Sort.REINSTATED: _GOOD,
    Sort.AFTER_A_GAP: _PLAIN,
    Sort.RENEWED: _GOOD,
    Sort.PENDING: _NOTE,
    Sort.WITHDRAWN: _NOTE,
    Sort.CORRECTED: _PLAIN,
    Sort.LATE: _PLAIN,
}
"""The colour of what stands above a group; on white, each has a contrast of at least 4.5 to 1."""


def render(message: Message, most: int | None = 50) -> str:
    """The message as a whole HTML document, at most `most` entries of it."""
    shown, left = wording.cut(entries(message), most)
    told = accounts.tell(sections(shown))
    rest, report = wording.rest(left), wording.report_link(message)
    return _template().render(
        subject=wording.subject(message),
        introduction=wording.introduction(message),
        sections=told,
        sources=accounts.sources(told),
        affairs=message.affairs,
        rest=rest if report else wording.with_report(rest, message),
        report=report,
        page=wording.page_link(message),
        legend_title=TITLE,
        legend=legend(told),
        signature=wording.signature(message),
        colours=COLOURS,
    )


@cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("mail.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "link": wording.document_link,
        "moment": wording.moment,
        "proof": accounts.proof,
        "events": accounts.events,
        "short": wording.short,
        "detail": wording.detail,
        "heading": wording.affair_heading,
        "file": _file,
        "host": _host,
        "unbroken": _unbroken,
    }
    return environment.from_string(source)


_WHOLE = re.compile(r"\b\d{4}-\d\d-\d\d\b|\be-[0-9a-f]{12}\b|\bm-[0-9a-f]{16}\b")


def _unbroken(text: str) -> Markup:
    """A text, escaped, in which no line ends within a date or an id."""
    return Markup(_WHOLE.sub(r'<span style="white-space:nowrap">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped


def _host(url: str) -> str:
    """Where a link leads: `www.ice.gov`."""
    return urlsplit(url).hostname or ""


def _file(url: str) -> str:
    """Where a link leads and to what: `www.ice.gov/…/KerrCoTX_JEM_MOA_05062025.pdf`."""
    folder, _, name = urlsplit(url).path.rpartition("/")
    return f"{_host(url)}{'/…' if folder else ''}/{name}"
