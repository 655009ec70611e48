"""What Datasette asks this program for: bounded connections that can only read, cells, pages, recipes, Atom."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import BadRequest, Request, Response
from datasette.views.base import DatasetteError
from jinja2 import Environment
from markupsafe import Markup

from db.schema import dictionary
from pipeline.publish.browse import atom, hosts, pages
from pipeline.publish.browse.cells import cell
from pipeline.publish.browse.limits import limit
from pipeline.publish.browse.metadata import NAME, PLUGIN, WITHHELD, address, is_view
from pipeline.publish.browse.recipes import recipes
from pipeline.reports.escaping import printable

READABLE = (
    frozenset(dictionary()) - set(WITHHELD)
    | {f"agency_search_{part}" for part in ("data", "idx", "content", "docsize", "config")}
    | {"sqlite_master", "sqlite_schema", "json_each", "json_tree"}
    | {f"pragma_{of}" for of in ("table_info", "table_xinfo", "foreign_key_list", "index_list", "index_info")}
)
"""All whose columns can be read; what else SQLite has, such as `dbstat` and `pragma_database_list`, tells too much."""

UNCOUNTED = ("dbstat", "sqlite_", "pragma_", "fts3", "fts4", "fts5")
"""How the names begin of what cannot be counted either.

Where no column is read, SQLite asks of a name that the question gives by `with` as it does of a table.
"""

UNCALLED = ("fts3_tokenizer", "load_extension", "json_patch", "rtreecheck")
"""Functions that take an address in memory or a file's, or whose time grows with the square of a length."""

WRONG_HOST = "ask for this computer by its own name, such as localhost, or begin it with --host 0.0.0.0\n"

App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    denied = (
        (action == sqlite3.SQLITE_READ and not _is_readable(str(first).lower(), second))
        or (action == sqlite3.SQLITE_FUNCTION and str(second).lower() in UNCALLED)
        or action == sqlite3.SQLITE_ATTACH
    )
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


def _is_readable(name: str, column: str | None) -> bool:
    """Whether a table is; its name is as the question spells it where no column of it is read."""
    return name in READABLE or not (column or name in WITHHELD or name.startswith(UNCOUNTED))


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Let the history's connections read what is public and nothing else, and not for long, whatever is typed in."""
    if database == NAME:
        conn.execute("pragma query_only = 1")
        limit(conn)
        conn.set_authorizer(_authorize)


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(value: Any, column: str, database: str, datasette: Datasette) -> Markup | None:
    """A cell of any table or query."""
    return cell(column, value, link_hosts(datasette)) if database == NAME else None


def link_hosts(datasette: Datasette) -> tuple[str, ...]:
    """The hosts that cells may link to."""
    return tuple((datasette.plugin_config(PLUGIN) or {}).get("link_hosts", ()))


@hookimpl  # type: ignore[untyped-decorator]
def register_output_renderer() -> dict[str, Any]:
    """`.atom` beside `.json` and `.csv`, for whatever has events."""
    return {"extension": "atom", "render": atom.render, "can_render": atom.can_render}


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """The pages of our own."""
    return [
        (r"^/$", pages.home),
        (r"^/agreement/(?P<id>[\w-]{1,40})$", pages.agreement),
        (r"^/agency/(?P<id>[\w-]{1,100})$", pages.agency),
        (r"^/event/(?P<id>[\w-]{1,40})$", pages.event),
        (r"^/workbook/(?P<id>[0-9a-f]{64})$", pages.workbook),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def prepare_jinja2_environment(env: Environment) -> None:
    """What the templates call."""
    env.filters["printable"] = lambda value: printable(str(value))


@hookimpl  # type: ignore[untyped-decorator]
def filters_from_request(request: Request, table: str, database: str) -> None:
    """Refuse numbers that are none, before Datasette stumbles over them.

    Raises:
        BadRequest: a parameter of the address is no number.
    """
    for name in ("_timelimit", *(("_next",) if database == NAME and table in dictionary() and is_view(table) else ())):
        try:
            int(request.args.get(name) or 0)
        except ValueError:
            raise BadRequest(f"{name} must be a number") from None


@hookimpl  # type: ignore[untyped-decorator]
def handle_exception(exception: Exception) -> None:
    """What Datasette has to say of a question without naming a status, such as an unknown _sort, is the asker's."""
    if isinstance(exception, DatasetteError) and exception.status == 500:
        exception.status = 400


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Callable[[App], App]:
    """Turn away who asks by another's name; a recipe asked for without any values opens with those of this history."""
    told = datasette.plugin_config(PLUGIN) or {}
    filled, known = told.get("values", {}), told.get("hosts")
    asked = {address(one, {}): address(one, filled[one.name]) for one in recipes() if one.name in filled}

    def wrapped(app: App) -> App:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            is_http = scope["type"] == "http"
            if is_http and known is not None and not hosts.are_known(scope["headers"], known):
                await Response.text(WRONG_HOST, status=400).asgi_send(send)
            elif opens := is_http and not scope["query_string"] and asked.get(scope["path"]):
                await Response.redirect(opens).asgi_send(send)
            else:
                await app(scope, receive, send)

        return answer

    return wrapped
