"""Pages of our own in Datasette: the front page, and one for each agreement, agency, event and workbook."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar
from urllib.parse import urlencode

from datasette.app import Datasette
from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup, escape

from db.schema import dictionary
from pipeline.publish.browse.cells import cell, link
from pipeline.publish.browse.metadata import NAME, PLUGIN, address, is_view
from pipeline.publish.browse.recipes import recipes
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable

Rows = Sequence[sqlite3.Row]
Of = TypeVar("Of")


@dataclass(frozen=True)
class Section:
    """A part of a page: rows of a view, and where all that it says can be had."""

    title: str
    rows: Rows
    view: str = ""
    where: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The view with this filter, without the format."""
        return f"/{NAME}/{self.view}"

    @property
    def query(self) -> str:
        """The filter, as the end of an address."""
        return urlencode(self.where)


@dataclass(frozen=True)
class Page:
    """What a page says: facts as pairs of a name and a value, then sections."""

    title: str
    lead: str
    facts: sqlite3.Row | dict[str, Any]
    sections: Sequence[Section]


async def home(datasette: Datasette, request: Request) -> Response:
    """What there is: search, views, recipes."""

    def newest(connection: sqlite3.Connection) -> dict[str, str]:
        return dict(
            connection.execute(
                "select list, max(published_on) from publication_log where verdict = 'accepted' group by list"
            ).fetchall()
        )

    views = [(name, described.comment) for name, described in dictionary().items() if is_view(name)]
    asked = [(recipe.group, recipe.title, address(recipe)) for recipe in recipes()]
    groups = [(group, list(found)) for group, found in groupby(asked, key=lambda one: one[0])]
    told = {"views": views, "groups": groups, "database": NAME, "newest": await _ask(datasette, newest)}
    return await _html(datasette, request, "home.html", told)


async def agreement(datasette: Datasette, request: Request) -> Response:
    """An agreement or an application: its values over time, its events, its first and last rows."""
    return await _page(datasette, request, _agreement)


async def agency(datasette: Datasette, request: Request) -> Response:
    """An agency: its names, its agreements and applications over time, every event."""
    return await _page(datasette, request, _agency)


async def event(datasette: Datasette, request: Request) -> Response:
    """An event with the rows that show it."""
    return await _page(datasette, request, _event)


async def workbook(datasette: Datasette, request: Request) -> Response:
    """A workbook: what became of it, where it was seen, what it told."""
    return await _page(datasette, request, _workbook)


_LISTED = """
select published_on, workbook_sha256, workbook_name, row, printed_state, printed_agency, printed_county,
       printed_support_type, printed_signed, printed_moa
from listings where agreement_id = :id order by publication, row
"""
_AT = """
select l.published_on, l.workbook_sha256, l.workbook_name, l.row, l.printed_state, l.printed_agency, l.printed_county,
       l.printed_support_type, l.printed_signed, l.printed_moa
from listings l where l.publication = (
    select max(sequence) from publication_log where workbook_sha256 = :workbook and list = :list
    and verdict = 'accepted') and l.row = :row
"""
_VALUES = (
    "valid_from, valid_to, agency, state, agency_type, county, signed_on, moa_url, addendum_url, from_workbook_sha256"
)
_EVENTS = "event_id, published_on, kind, status, agency, support_model, signed_on, changes, note, status_note"


def _agreement(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, "select * from listing_history where agreement_id = :id order by valid_from", id=ident)
    if not found:
        return None
    now = found[-1]
    listed = _rows(connection, _LISTED, id=ident)
    events = _rows(connection, f"select {_EVENTS} from event_log where agreement_id = :id order by sequence", id=ident)  # noqa: S608
    if now["valid_to"]:
        lead = f"No longer on the {now['list']} list since {now['valid_to']}."
    else:
        lead = f"On the last {now['list']} list, of {listed[-1]['published_on']}."
    shown = ("agreement_id", "agency_id", "state", "county", "county_fips", "signed_on", "moa_url", "addendum_url")
    where = {"agreement_id": ident}
    over_time = f"select {_VALUES} from listing_history where agreement_id = :id order by valid_from"  # noqa: S608
    return Page(
        f"{_named(now)}: {now['support_model'] or 'model unknown'}",
        lead,
        {name: now[name] for name in shown},
        (
            Section("Its values over time", _rows(connection, over_time, id=ident), "listing_history", where),
            Section("Events", events, "event_log", where),
            Section("Evidence: its first and last rows", [listed[0], listed[-1]], "listings", where),
        ),
    )


def _agency(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, "select * from agencies where agency_id = :id", id=ident)
    if not found:
        return None
    (now,) = found
    columns = "agreement_id, list, agency, support_model, signed_on, moa_url, valid_from, valid_to"
    versions = f"select {columns} from listing_history where agency_id = :id order by list, support_model, valid_from"  # noqa: S608
    events = f"select {_EVENTS} from event_log where agency_id = :id order by sequence"  # noqa: S608
    number = now["agreements_now"]
    lead = f"{number} agreement{'' if number == 1 else 's'} in force" + (f": {now['models_now']}." if number else ".")
    where = {"agency_id": ident}
    return Page(
        _named(now),
        lead,
        {name: now[name] for name in ("agency_id", "former_names", "agency_type", "county", "county_name")},
        (
            Section("Its agreements over time", _rows(connection, versions, id=ident), "listing_history", where),
            Section("Events", _rows(connection, events, id=ident), "event_log", where),
        ),
    )  # fmt: skip


def _event(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, "select * from event_log where event_id = :id", id=ident)
    if not found:
        return None
    (told,) = found
    sections = [
        Section(title, _rows(connection, _AT, workbook=told[workbook], list=told["list"], row=told[row]))
        for title, workbook, row in (
            ("The row that shows it", "workbook_sha256", "row"),
            ("The row before", "previous_workbook_sha256", "previous_row"),
        )
        if told[row] is not None
    ]
    return Page(
        f"{told['kind'].capitalize()}: {_named(told)}, {told['support_model'] or 'model unknown'}",
        f"{told['status'].capitalize()}. {printable(told['note'])}",
        told,
        sections,
    )


def _workbook(connection: sqlite3.Connection, ident: str) -> Page | None:
    where = {"workbook_sha256": ident}
    seen = _rows(connection, "select * from sighting_log where workbook_sha256 = :id order by seen_at", id=ident)
    if not seen:
        return None
    published = _rows(connection, "select * from publication_log where workbook_sha256 = :id", id=ident)
    events = f"select {_EVENTS} from event_log where workbook_sha256 = :id order by sequence"  # noqa: S608
    return Page(
        seen[0]["file_name"],
        f"SHA-256 {ident}: {seen[0]['bytes']:,} bytes, kept in the archive under that name.",
        {"list": seen[0]["list"], "unreadable": seen[0]["unreadable"]},
        (
            Section("What became of it", published, "publication_log", where),
            Section("Where and when it was seen", seen, "sighting_log", where),
            Section("What it told", _rows(connection, events, id=ident), "event_log", where),
            Section("Its rows", (), "listings", where),
        ),
    )


def _rows(connection: sqlite3.Connection, sql: str, **values: Any) -> list[sqlite3.Row]:
    return connection.execute(sql, values).fetchall()


def _named(row: sqlite3.Row) -> str:
    return printable(f"{row['agency']}, {state_name(row['state'])}" if row["state"] else row["agency"])


async def _page(
    datasette: Datasette, request: Request, make: Callable[[sqlite3.Connection, str], Page | None]
) -> Response:
    ident = request.url_vars["id"]
    page = await _ask(datasette, lambda connection: make(connection, ident))
    if page is None:
        raise NotFound(f"the history has no {ident}")
    hosts = (datasette.plugin_config(PLUGIN) or {}).get("link_hosts", ())

    def shown(name: str, value: Any) -> Markup:
        if value is None:
            return Markup()
        if name in ("moa_url", "addendum_url"):
            return link(value, hosts)
        return cell(name, value, hosts) or escape(printable(str(value)))

    return await _html(datasette, request, "record.html", {"page": page, "shown": shown, "database": NAME})


async def _ask(datasette: Datasette, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    answer: Of = await datasette.get_database(NAME).execute_fn(ask)
    return answer


async def _html(datasette: Datasette, request: Request, template: str, context: dict[str, Any]) -> Response:
    told = datasette.metadata()
    return Response.html(await datasette.render_template(template, {"metadata": told, **context}, request=request))
