"""The values of a view's columns -> HTML: ids lead to their pages, addresses only to hosts that are ICE's."""

from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from pipeline.reports.escaping import printable, web_link

PAGES = {
    "agreement_id": "agreement",
    "application_id": "agreement",
    "related_agreement_id": "agreement",
    "replaces": "agreement",
    "agency_id": "agency",
    "event_id": "event",
    "workbook_sha256": "workbook",
    "previous_workbook_sha256": "workbook",
    "from_workbook_sha256": "workbook",
    "to_workbook_sha256": "workbook",
}
"""Which page the values of a column lead to."""

DOCUMENTS = {"moa_url": "MOA", "addendum_url": "Addendum"}
"""What the links in a column are called, where an address would push all else aside."""

_SHORT = 12
"""How many digits of a SHA-256 are shown; its page has them all."""


def cell(column: str, value: Any, link_hosts: Collection[str]) -> Markup | None:
    """The cell with a link or without control characters, or None where it is a value like any other."""
    if not isinstance(value, str) or not value:
        return None
    if column in PAGES:
        return page_link(column, value, f"{value[:_SHORT]}…" if column.endswith("sha256") else value)
    if value.lstrip().lower().startswith(("http://", "https://")):
        return link(value, link_hosts, DOCUMENTS.get(column))
    return None if value.isprintable() else escape("\n".join(map(printable, value.split("\n"))))


def page_link(column: str, value: str | None, shown: str | None) -> Markup | None:
    """A link to the page of such a value; None for null."""
    if value is None:
        return None
    target = quote(value, safe="")
    return Markup('<a href="/{}/{}" title="{}">{}</a>').format(
        PAGES[column], target, printable(value), printable(shown or value)
    )


def link(url: str, link_hosts: Collection[str], shown: str | None = None) -> Markup:
    """A link to an address on one of these hosts or below; to any other host, its text."""
    target = web_link(url.strip())
    if target is None or not _is_on(target, link_hosts):
        return escape(printable(url))
    return Markup('<a href="{}" rel="noreferrer" title="{}">{}</a>').format(
        target, printable(url), printable(shown or url)
    )


def _is_on(url: str, hosts: Collection[str]) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    return any(host == one or host.endswith(f".{one}") for one in hosts)
