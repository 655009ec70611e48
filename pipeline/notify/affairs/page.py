"""What ICE's page links: a pending list that is gone from it, and links of a shape that is not known."""

import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from db import read
from db.records import ListName
from pipeline.notify.affairs.lines import days, detail, title
from pipeline.reports.messages.content import Affair

_ABSENT_DAYS = 1.0
"""A page that is being edited may lack a link for an hour."""


def linked(connection: sqlite3.Connection) -> set[ListName]:
    """The lists that the page links, as it last came. Before the first page that is none.

    A workbook whose bytes are there says itself which list it is; until then the words of its link do, and a link that
    names neither list may be to either.
    """
    known = {
        url: ListName(name)
        for url, name in connection.execute(
            "select l.url, w.list from link l join workbook w on w.id = l.workbook_id where w.list is not null"
        )
    }
    found: set[ListName] = set()
    for link in _links(connection)[0]:
        if link["url"] in known:
            found.add(known[link["url"]])
        else:
            found |= {ListName(link["list_hint"])} if link["list_hint"] else set(ListName)
    return found


def _links(connection: sqlite3.Connection) -> tuple[list[dict[str, Any]], str]:
    """The page's links to lists as it last came, and when that was."""
    row = connection.execute("select links, fetched_at from page order by fetched_at desc limit 1").fetchone()
    return (json.loads(row[0]), row[1]) if row else ([], "")


def unlinked(connection: sqlite3.Connection) -> Iterator[Affair]:
    """That the page has linked no pending list for a day; a page without the participating one is a failed check."""
    if linked(connection) != {ListName.PARTICIPATING}:
        return
    seen = dict(connection.execute("select list, max(last_seen_at) from publication group by list").fetchall())
    since, until = seen.get(ListName.PENDING), seen.get(ListName.PARTICIPATING)
    if since is None or until is None or days(read.moment(since), read.moment(until)) < _ABSENT_DAYS:
        return
    yield Affair(
        f"not_linked:{ListName.PENDING}:{since}",
        "ICE's page links no pending list any more",
        (
            f"It was last seen {since}; the participating list is still there.",
            "ICE has left it out for long stretches before. Until it is back, nothing is told of applications.",
        ),
        ("watch287g status",),
        since,
    )


def new_shapes(connection: sqlite3.Connection) -> Iterator[Affair]:
    """The links that by their words lead to a list, and by their address to nothing that ICE has used for one."""
    links, fetched_at = _links(connection)
    shapes: dict[str, dict[str, Any]] = {}
    for link in links:
        if not link["known_shape"]:
            shapes.setdefault(_shape(link["url"]), link)
    for shape, link in shapes.items():
        yield Affair(
            title(f"link_shape:{shape}"),
            title(f"ICE's page has a new kind of link to a list: {shape}"),
            (
                detail(f"The link: {link['text']!r}, {link['url']}"),
                "If it leads to a workbook, that is read like any other; if not, look at ICE's page in a browser.",
            ),
            ("watch287g status",),
            fetched_at,
        )


def _shape(url: str) -> str:
    """What stays of an address when the next list has another name: host, folders with digits folded, and extension."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rstrip("/").rpartition("/")
    stem, dot, extension = name.rpartition(".")
    last = f"*.{extension}" if dot and stem and extension.isalpha() else name
    return re.sub(r"\d+", "#", f"{parts.netloc}{folder}/{last}".lower())
