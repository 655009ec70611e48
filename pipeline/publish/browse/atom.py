"""The events that a page of Datasette shows, as an Atom feed: of any filter and any query that has `event_id`."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from pipeline.notify.feeds import BEGINS_ON, DOCUMENTS
from pipeline.publish.browse.metadata import NAME
from pipeline.queries import events_by_id
from pipeline.reports.escaping import printable
from pipeline.reports.feeds import atom
from pipeline.reports.feeds.entries import Feed, entry, feed


def can_render(columns: Sequence[str], database: str | None) -> bool:
    """Whether what is shown has events."""
    return database == NAME and "event_id" in columns


async def render(
    datasette: Datasette, columns: Sequence[str], rows: Sequence[Any], request: Request, data: dict[str, Any]
) -> Response:
    """The feed, the events last told first; its id follows from the question."""
    if "event_id" not in columns:
        return Response.text("a feed needs the column event_id", status=400)
    ids = [str(row["event_id"]) for row in rows]
    about = (data.get("human_description_en") or "").partition("sorted by ")[0].strip()

    def make(connection: sqlite3.Connection) -> Feed:
        return _feed(connection, ids)

    made = await datasette.get_database(NAME).execute_fn(make)
    asked = sorted((name, value) for name, value in parse_qsl(request.query_string) if name != "_next")
    title = printable(f"{made.title}: {about}" if about else made.title)
    named = replace(made, name=f"{request.path}?{urlencode(asked)}", title=title)
    return Response(atom.render(named), content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")


def _feed(connection: sqlite3.Connection, ids: Sequence[str]) -> Feed:
    documents = {row[0]: (row[1], row[2]) for row in connection.execute(DOCUMENTS, (json.dumps(ids),))}
    events = events_by_id(connection, ids)
    entries = [entry(event, *documents.get(event.event_id, (None, None))) for event in events]
    entries.sort(key=lambda one: one.updated)
    entries.reverse()
    begins_on = connection.execute(BEGINS_ON).fetchone()[0] or "1970-01-01"
    return feed(None, entries, begins_on)
