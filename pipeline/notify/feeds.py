"""The history's events -> Atom and JSON feeds as files: one of all states, and one of each, quiet ones too, so that
every subscriber has an address from the start.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from db import read
from pipeline import __version__
from pipeline.notify.settings import Feeds
from pipeline.queries import events_by_id
from pipeline.reading.places import states
from pipeline.reports.feeds import atom, json_feed
from pipeline.reports.feeds.entries import Entry, entry, feed, feed_name

NEWEST = """
select public_id from (
    select * from (select id, public_id, detected_at as told_at from event
                   where kind <> 'changed' order by detected_at desc, id desc limit :most)
    union all
    select * from (select id, public_id, status_changed_at from event
                   where status_changed_at is not null and kind <> 'changed'
                   order by status_changed_at desc, id desc limit :most))
group by id order by max(told_at) desc, id desc limit :most
"""
"""The events last told, confirmed or retracted, so that no entry leaves the feed untold that it was taken back."""

NEWEST_OF_STATE = """
select public_id from event where state = :state and kind <> 'changed'
order by max(detected_at, coalesce(status_changed_at, '')) desc, id desc limit :most
"""

DOCUMENTS = """
select e.public_id, v.moa_url, v.addendum_url
from event e
join version v on v.id = (
    select max(id) from version where agreement_id = e.agreement_id and from_publication_id <= e.publication_id)
where e.public_id in (select value from json_each(?))
"""
"""The documents in force after an event; after the end of an agreement, those that were in force before it."""

BEGINS_ON = (
    "select min(published_on) from publication where list in ('participating', 'pending') and verdict = 'accepted'"
)

STAMP = ".written"
"""A file in the folder that says what the feeds were made of, so that nothing is made anew while that is the same."""


class FeedsError(Exception):
    """The feeds cannot be written; the message is one sentence."""


def write_feeds(connection: sqlite3.Connection, settings: Feeds, base: Path) -> list[Path]:
    """Bring the feeds in the folder up to date; gives the files that were written, none if no folder is set.

    `base` is where a relative folder begins; nothing is written before the first list. A file is replaced as a whole,
    and only if its bytes differ.

    Raises:
        FeedsError: the folder cannot be written.
    """
    if settings.folder is None:
        return []
    folder = base / settings.folder
    try:
        with _one_state_of(connection):
            return _write_feeds(connection, settings, folder)
    except OSError as error:
        raise FeedsError(
            f"cannot write the feeds to {folder}: {error.strerror or error}; see alerts.feeds.folder"
        ) from error


def _write_feeds(connection: sqlite3.Connection, settings: Feeds, folder: Path) -> list[Path]:
    begins_on = connection.execute(BEGINS_ON).fetchone()[0]
    made_of = _fingerprint(connection, settings, begins_on)
    stamp = folder / STAMP
    if begins_on is None or (_content(stamp) == made_of and _are_there(folder)):
        return []
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    files = _files(connection, settings, begins_on)
    written = [path for name, data in files if _replace(path := folder / name, data)]
    _replace(stamp, made_of)
    return written


@contextmanager
def _one_state_of(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything that is read in the block is of one moment, whoever writes meanwhile."""
    connection.execute("savepoint feeds")
    try:
        yield
    finally:
        connection.execute("release feeds")


def _fingerprint(connection: sqlite3.Connection, settings: Feeds, begins_on: str | None) -> bytes:
    """A hash of all that the feeds are made of: the events and what became of them, the corrections and the code."""
    events = connection.execute("select group_concat(public_id || status, ' ') from event").fetchone()[0]
    corrections = read.setting(connection, "corrections")
    parts = (events, corrections, begins_on, settings.url, settings.entries, __version__)
    return hashlib.sha256(repr(parts).encode()).hexdigest().encode()


def _are_there(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} >= {
        feed_name(state) + suffix for state in (None, *states()) for suffix in (atom.SUFFIX, json_feed.SUFFIX)
    }


def _files(connection: sqlite3.Connection, settings: Feeds, begins_on: str) -> Iterator[tuple[str, bytes]]:
    """The name and content of every file."""
    chosen = {state: _newest(connection, state, settings.entries) for state in (None, *states())}
    entries = _entries(connection, sorted({event for events in chosen.values() for event in events}))
    for state, events in chosen.items():
        made = feed(state, [entries[event] for event in events], begins_on, settings.url)
        yield made.name + atom.SUFFIX, atom.render(made)
        yield made.name + json_feed.SUFFIX, json_feed.render(made)


def _newest(connection: sqlite3.Connection, state: str | None, most: int) -> list[str]:
    """The ids of the events that a feed tells, the last told first."""
    query = NEWEST if state is None else NEWEST_OF_STATE
    return [row[0] for row in connection.execute(query, {"state": state, "most": most})]


def _entries(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Entry]:
    documents = {row[0]: (row[1], row[2]) for row in connection.execute(DOCUMENTS, (json.dumps(ids),))}
    return {
        event.event_id: entry(event, *documents.get(event.event_id, (None, None)))
        for event in events_by_id(connection, ids)
    }


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replace(path: Path, data: bytes) -> bool:
    """Give a file this content at one stroke; whether it had another."""
    if _content(path) == data:
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True
