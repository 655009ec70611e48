"""What Datasette asks this program for: connections that can only read, cells, pages, recipes with values, Atom."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Response
from markupsafe import Markup

from pipeline.publish.browse import atom, pages
from pipeline.publish.browse.cells import cell
from pipeline.publish.browse.metadata import NAME, PLUGIN, WITHHELD, address
from pipeline.publish.browse.recipes import recipes

App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""


def _authorize(action: int, first: str | None, _second: str | None, _database: str | None, _by: str | None) -> int:
    withheld = action == sqlite3.SQLITE_READ and first in WITHHELD
    return sqlite3.SQLITE_DENY if withheld or action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Let the history's connections read what is public, and nothing else, whatever SQL is typed in."""
    if database == NAME:
        conn.execute("pragma query_only = 1")
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
def asgi_wrapper(datasette: Datasette) -> Callable[[App], App]:
    """A recipe asked for without any values opens with those of this history, not with empty fields."""
    filled = (datasette.plugin_config(PLUGIN) or {}).get("values", {})
    asked = {address(one, {}): address(one, filled[one.name]) for one in recipes() if one.name in filled}

    def wrapped(app: App) -> App:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            opens = scope["type"] == "http" and not scope["query_string"] and asked.get(scope["path"])
            if opens:
                await Response.redirect(opens).asgi_send(send)
            else:
                await app(scope, receive, send)

        return answer

    return wrapped
