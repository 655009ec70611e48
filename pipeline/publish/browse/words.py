"""The columns of the views in words, and values that are JSON or codes as a reader wants them: for pages of our own."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from markupsafe import Markup, escape

from db.records import Kind, Status
from pipeline.publish.browse.cells import DOCUMENTS, cell, link
from pipeline.reports.escaping import printable

LABELS = {
    "addendum_url": "Addendum",
    "agency": "Listed as",
    "agency_id": "Agency",
    "agency_type": "Type, by ICE",
    "agreement_id": "Agreement",
    "archived_at": "Archived",
    "change_classes": "Kind of change",
    "changes": "What changed",
    "county": "County as listed",
    "dated_by": "Date known by",
    "detected_at": "First seen",
    "event_id": "Event",
    "file_name": "Name",
    "first_listed_on": "First listed",
    "first_seen_at": "First seen",
    "former_names": "Other names",
    "from_workbook_sha256": "First workbook with it",
    "known_at": "Known here since",
    "known_from": "Known here since",
    "last_modified": "Last-Modified",
    "last_seen_at": "Last seen",
    "modified_at": "Saved",
    "moa_url": "MOA",
    "pending_since": "Pending since",
    "previous_workbook_sha256": "The list before",
    "printed_agency": "Agency, as printed",
    "printed_county": "County, as printed",
    "printed_moa": "MOA, as printed",
    "printed_signed": "Signed, as printed",
    "printed_state": "State, as printed",
    "printed_support_type": "Model, as printed",
    "published_on": "Published",
    "recorded_at": "Taken in here",
    "related_agreement_id": "See also",
    "seen_at": "First seen",
    "signed_on": "Signed",
    "status_note": "Why so",
    "support_model": "Model",
    "unreadable": "Cannot be read",
    "url": "Address",
    "valid_from": "From",
    "valid_to": "Until",
    "workbook_name": "Workbook",
    "workbook_sha256": "Workbook",
}
"""What a column is called; any other by its name."""

NO_COUNTY = {
    "statewide": "none: it serves the whole state",
    "several": "not known: several counties fit",
    "unknown": "not known",
}
"""Why there is no county."""

_DOUBTS = {Status.PROVISIONAL: " (provisional)", Status.RETRACTED: " (taken back)"}


def label(column: str) -> str:
    """The column's name in words."""
    return LABELS.get(column) or column.replace("_", " ").capitalize()


def county(row: sqlite3.Row) -> str | None:
    """The Census county with its code, or why it is not known, of a row with `county_name`, `_fips` and `_basis`."""
    if row["county_fips"]:
        return f"{row['county_name']} (FIPS {row['county_fips']})"
    return NO_COUNTY.get(row["county_basis"])


def happened(event: sqlite3.Row) -> str:
    """What an event tells of, marked where that is provisional or was taken back; ICE never says who ended what."""
    what = "No longer listed" if event["kind"] == Kind.TERMINATED else event["kind"].capitalize()
    return what + _DOUBTS.get(event["status"], "")


def told(column: str, value: Any, link_hosts: Collection[str]) -> Markup:
    """A value as HTML; nothing for null."""
    if value is None or isinstance(value, Markup):
        return value or Markup()
    if column in _JSON:
        return Markup("<br>").join(_JSON[column](value, link_hosts))
    text = str(value).replace("_", " ") if column == "dated_by" else str(value)
    return cell(column, value, link_hosts) or escape(printable(text))


def _changes(text: str, link_hosts: Collection[str]) -> Iterator[Markup]:
    for column, pair in json.loads(text).items():
        before, after = (_side(column, one, link_hosts) for one in pair)
        called = "Name" if column == "agency" else label(column)
        yield Markup("{}: {} → {}").format(called, before, after)


def _side(column: str, value: str | None, link_hosts: Collection[str]) -> Markup:
    if value is None:
        return Markup("none")
    if column in DOCUMENTS:
        return link(value, link_hosts, unquote(urlsplit(value).path.rpartition("/")[2]) or None)
    return escape(printable(value))


def _names(text: str, _link_hosts: Collection[str]) -> Iterator[Markup]:
    return (escape(printable(one)) for one in json.loads(text))


def _checks(text: str, _link_hosts: Collection[str]) -> Iterator[Markup]:
    for one in json.loads(text):
        how = "" if one["ok"] else " (failed)" if one["required"] else " (odd)"
        name = one["name"].replace("_", " ")
        yield escape(printable(f"{name}{how}: {one['note']}" if one["note"] else f"{name}{how}"))


_JSON = {"changes": _changes, "former_names": _names, "checks": _checks}
