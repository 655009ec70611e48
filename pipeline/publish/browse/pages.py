"""Pages of our own in Datasette: the front page, and one for each agreement, agency, event and workbook."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar
from urllib.parse import urlencode

from datasette.app import Datasette
from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup

from db.schema import dictionary
from pipeline.publish.browse.cells import page_link
from pipeline.publish.browse.metadata import NAME, PLUGIN, address, is_view
from pipeline.publish.browse.recipes import recipes
from pipeline.publish.browse.words import county, happened, label, told
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable

Rows = Sequence[Mapping[str, Any] | sqlite3.Row]
Of = TypeVar("Of")


@dataclass(frozen=True)
class Section:
    """A part of a page: rows of a view, and where all that it says can be had."""

    title: str
    rows: Rows
    view: str = ""
    where: dict[str, str] = field(default_factory=dict)
    remark: str = ""

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
    facts: dict[str, Any]
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
    values = (datasette.plugin_config(PLUGIN) or {}).get("values", {})
    asked = [(recipe.group, recipe.title, address(recipe, values.get(recipe.name, {}))) for recipe in recipes()]
    groups = [(group, list(found)) for group, found in groupby(asked, key=lambda one: one[0])]
    says = {"views": views, "groups": groups, "database": NAME, "newest": await _ask(datasette, newest)}
    return await _html(datasette, request, "home.html", says)


async def agreement(datasette: Datasette, request: Request) -> Response:
    """An agreement or an application: its values over time, its events, its first and last rows."""
    return await _page(datasette, request, "agreement", _agreement)


async def agency(datasette: Datasette, request: Request) -> Response:
    """An agency: its names, its agreements and applications over time, every event."""
    return await _page(datasette, request, "agency", _agency)


async def event(datasette: Datasette, request: Request) -> Response:
    """An event with the rows that show it."""
    return await _page(datasette, request, "event", _event)


async def workbook(datasette: Datasette, request: Request) -> Response:
    """A workbook: what became of it, where it was seen, what it told."""
    return await _page(datasette, request, "workbook", _workbook)


_ROW = """l.published_on, l.workbook_sha256, l.row, l.printed_agency, l.printed_state, l.printed_county,
       l.printed_support_type, l.printed_signed, l.printed_moa"""
_LISTED = f"select {_ROW} from listings l where agreement_id = :id order by publication, row"  # noqa: S608
_AT = f"""
select {_ROW} from listings l where l.publication = (
    select max(sequence) from publication_log where workbook_sha256 = :workbook and list = :list
    and verdict = 'accepted') and l.row = :row
"""  # noqa: S608
_VERSIONS = "select * from listing_history where agreement_id = :id order by valid_from, coalesce(valid_to, '9999')"
_TELLS = """e.published_on, e.kind,
       e.status || case when e.status_note <> '' then ': ' || e.status_note else '' end as status"""
_SAYS = "e.changes, e.note, e.event_id"
_OF_AGREEMENT = f"select {_TELLS}, {_SAYS} from event_log e where agreement_id = :id order by sequence"  # noqa: S608
_OF_AGENCY = f"select {_TELLS}, e.support_model, {_SAYS} from event_log e where agency_id = :id order by sequence"  # noqa: S608
_OF_WORKBOOK = f"""
select e.kind, e.status, e.state, e.agency, e.support_model, e.signed_on, {_SAYS}
from event_log e where workbook_sha256 = :id order by sequence
"""  # noqa: S608
_AGREEMENTS = """
select agreement_id, list, support_model, signed_on, valid_from, valid_to, moa_url, addendum_url,
       nullif(agency, :name) as agency
from listing_history where agency_id = :id order by list, support_model, valid_from, coalesce(valid_to, '9999')
"""
_UNTIL = "Until: the first list on which that no longer held; none if it holds on the last."


def _agreement(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, _VERSIONS, id=ident)
    if not found:
        return None
    now = found[-1]
    listed = _rows(connection, _LISTED, id=ident)
    if now["valid_to"]:
        doubt = ", provisional: one list shows it" if _is_provisional(connection, ident) else ""
        lead = f"No longer on the {now['list']} list since {now['valid_to']}{doubt}."
    else:
        lead = f"On the last {now['list']} list, of {listed[-1]['published_on']}."
    where = {"agreement_id": ident}
    facts = ("agreement_id", "agency_id", "agency_type", "signed_on", "moa_url", "addendum_url")
    return Page(
        f"{_named(now)}: {now['support_model'] or 'model unknown'}",
        lead,
        {"state": state_name(now["state"]), "Census county": county(now)} | {name: now[name] for name in facts},
        (
            Section("Its values over time", _over_time(found), "listing_history", where, _UNTIL),
            Section("Events", _rows(connection, _OF_AGREEMENT, id=ident), "event_log", where),
            Section("Evidence: its first and last rows", [listed[0], listed[-1]], "listings", where),
        ),
    )


def _is_provisional(connection: sqlite3.Connection, ident: str) -> bool:
    sql = "select exists (select 1 from event_log where agreement_id = :id and status = 'provisional')"
    return bool(connection.execute(sql, {"id": ident}).fetchone()[0])


def _over_time(versions: Sequence[sqlite3.Row]) -> Rows:
    """The values that did not stay the same, and the documents; what stayed stands above."""
    values = ("agency", "state", "agency_type", "county", "support_model", "signed_on")
    changed = [name for name in values if len({row[name] for row in versions}) > 1]
    shown = ("valid_from", "valid_to", *changed, "moa_url", "addendum_url", "from_workbook_sha256")
    return [{name: row[name] for name in shown} for row in versions]


def _agency(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, "select * from agencies where agency_id = :id", id=ident)
    if not found:
        return None
    (now,) = found
    number = now["agreements_now"]
    lead = f"{number} agreement{'' if number == 1 else 's'} in force" + (f": {now['models_now']}." if number else ".")
    where = {"agency_id": ident}
    facts = ("agency_type", "county", "former_names", "agency_id")
    return Page(
        _named(now),
        lead,
        {"Census county": county(now)} | {name: now[name] for name in facts},
        (
            Section(
                "Its agreements and applications over time",
                _rows(connection, _AGREEMENTS, id=ident, name=now["agency"]),
                "listing_history",
                where,
                f"{_UNTIL} Under its latest name, unless it says listed as.",
            ),
            Section("Events", _rows(connection, _OF_AGENCY, id=ident), "event_log", where),
        ),
    )


def _event(connection: sqlite3.Connection, ident: str) -> Page | None:
    found = _rows(connection, "select * from event_log where event_id = :id", id=ident)
    if not found:
        return None
    (now,) = found
    sections = [
        Section(title, _rows(connection, _AT, workbook=now[workbook], list=now["list"], row=now[row]))
        for title, workbook, row in (
            ("The row that shows it", "workbook_sha256", "row"),
            ("The row before", "previous_workbook_sha256", "previous_row"),
        )
        if now[row] is not None
    ]
    facts = ("list", "published_on", "changes", "county", "signed_on", "pending_since", "status_note",
             "status_changed_at", "agreement_id", "related_agreement_id", "agency_id")  # fmt: skip
    seen = ("detected_at", "known_at", "event_id")
    agencies = _rows(connection, "select * from agencies where agency_id = :id", id=now["agency_id"])
    place = {"Census county": county(agencies[0])} if agencies else {}
    proof = {
        "workbook_sha256": page_link("workbook_sha256", now["workbook_sha256"], now["workbook_name"]),
        "previous_workbook_sha256": page_link(
            "workbook_sha256", now["previous_workbook_sha256"], now["previous_workbook_name"]
        ),
    }
    return Page(
        f"{happened(now)}: {_named(now)}, {now['support_model'] or 'model unknown'}",
        f"{now['status'].capitalize()}. {printable(now['note'])}",
        {name: now[name] for name in facts} | place | proof | {name: now[name] for name in seen},
        sections,
    )


def _workbook(connection: sqlite3.Connection, ident: str) -> Page | None:
    where = {"workbook_sha256": ident}
    seen = _rows(connection, "select * from sighting_log where workbook_sha256 = :id order by seen_at", id=ident)
    if not seen:
        return None
    published = "select list, published_on, dated_by, verdict, reason, rows, known_at, checks from publication_log"
    sighted = "select file_name, url, seen_at, last_seen_at, last_modified, recorded_at from sighting_log"
    return Page(
        seen[0]["file_name"],
        f"SHA-256 {ident}: {seen[0]['bytes']:,} bytes, kept in the archive under that name.",
        {name: seen[0][name] for name in ("list", "modified_at", "archived_at", "unreadable")},
        (
            Section(
                "What became of it",
                _rows(connection, f"{published} where workbook_sha256 = :id order by sequence", id=ident),
                "publication_log",
                where,
            ),
            Section(
                "Where and when it was seen",
                _rows(connection, f"{sighted} where workbook_sha256 = :id order by seen_at, file_name", id=ident),
                "sighting_log",
                where,
            ),
            Section("What it told", _rows(connection, _OF_WORKBOOK, id=ident), "event_log", where),
            Section("Its rows", (), "listings", where),
        ),
    )


def _rows(connection: sqlite3.Connection, sql: str, **values: Any) -> list[sqlite3.Row]:
    return connection.execute(sql, values).fetchall()


def _named(row: sqlite3.Row) -> str:
    return printable(f"{row['agency']}, {state_name(row['state'])}" if row["state"] else row["agency"])


async def _page(
    datasette: Datasette, request: Request, of: str, make: Callable[[sqlite3.Connection, str], Page | None]
) -> Response:
    ident = request.url_vars["id"]
    page = await _ask(datasette, lambda connection: make(connection, ident))
    if page is None:
        raise NotFound(f"No {of} of this history has the id {ident}.")
    hosts = (datasette.plugin_config(PLUGIN) or {}).get("link_hosts", ())

    def shown(name: str, value: Any) -> Markup:
        return told(name, value, hosts)

    says = {"page": page, "shown": shown, "label": label, "database": NAME}
    return await _html(datasette, request, "record.html", says)


async def _ask(datasette: Datasette, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    answer: Of = await datasette.get_database(NAME).execute_fn(ask)
    return answer


async def _html(datasette: Datasette, request: Request, template: str, context: dict[str, Any]) -> Response:
    about = datasette.metadata()
    return Response.html(await datasette.render_template(template, {"metadata": about, **context}, request=request))
