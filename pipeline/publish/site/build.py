"""The site, from the history to the files in a folder."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

from pipeline.notify.feeds import STAMP, FeedsError, write_feeds
from pipeline.notify.settings import Feeds
from pipeline.publish.site.downloads import File, downloads
from pipeline.publish.site.model import History, is_empty, one_state_of, read
from pipeline.publish.site.moving import moved
from pipeline.publish.site.pages import data_page, pages
from pipeline.publish.site.rendering import Page, Renderer, Settings
from pipeline.publish.site.writing import Folder, SiteError, open_folder
from pipeline.reading.places import states
from pipeline.reports.feeds import atom, json_feed
from pipeline.reports.feeds.entries import feed_name

_LOOK = "site.css"
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0a5c6b" d="M1 1h6v6H1zM9 9h6v6H9z"/>'
    b'<path fill="#7fb0b8" d="M9 1h6v6H9zM1 9h6v6H1z"/></svg>\n'
)
_ENTRIES = 100
"""The entries of a feed."""


@dataclass(frozen=True, slots=True)
class Built:
    """How many pages and other files the site has, and how many files were written and removed."""

    pages: int
    files: int
    written: int
    removed: int


def site(connection: sqlite3.Connection, path: Path, settings: Settings) -> Built:
    """Bring the site in a folder up to date with the history; a file is written only if its bytes differ.

    Raises:
        SiteError: the folder holds something else, or a file of somebody else's is in the way.
        OSError: the folder cannot be written; what is there is whole, and the next run goes on.
    """
    folder = open_folder(path)
    with one_state_of(connection):
        folder.claim()
        if is_empty(connection):
            return _write(connection, folder, settings, lambda: ([], 0))
        with downloads(connection, path / "data", settings.link_hosts) as wait:
            return _write(connection, folder, settings, wait)


def _write(
    connection: sqlite3.Connection, folder: Folder, settings: Settings, wait: Callable[[], tuple[list[File], int]]
) -> Built:
    history = read(connection)
    feeds, feeds_written = _feeds(connection, history, folder.path, settings)
    members = {agency.id: tuple(one.agreement_id for one in agency.timelines) for agency in history.agencies}
    remembered = {**folder.agencies, **members}
    redirects = moved(history.agencies, remembered)
    renderers = [Renderer(language, settings) for language in settings.languages]
    planned = [(renderer, page) for renderer in renderers for page in pages(history, renderer, redirects)]
    rendered = {_name(renderer, page): renderer.render(page) for renderer, page in planned}
    files, files_written = wait()
    last = [(renderer, data_page(history, files, renderer.words)) for renderer in renderers]
    rendered |= {_name(renderer, page): renderer.render(page) for renderer, page in last}
    others = dict(_others(settings, [*planned, *last]))
    folder.begin([*rendered, *others], [*feeds, *(one.path for one in files)], remembered)
    for name, data in (others | rendered).items():
        folder.put(name, data)
    folder.end()
    written = len(folder.written) + feeds_written + files_written
    return Built(len(rendered), len(others) + len(feeds) + len(files), written, len(folder.removed))


def _name(renderer: Renderer, page: Page) -> str:
    return f"{renderer.prefix}{page.path}"


def _feeds(connection: sqlite3.Connection, history: History, path: Path, settings: Settings) -> tuple[list[str], int]:
    """Write the feeds; gives their paths, and how many differed."""
    if history.first_on is None:
        return [], 0
    url = f"{settings.url}feeds/" if settings.url else None
    try:
        written = write_feeds(connection, Feeds(folder=Path("feeds"), url=url, entries=_ENTRIES), path)
    except FeedsError as error:
        raise SiteError(str(error)) from error
    names = [feed_name(state) + suffix for state in (None, *states()) for suffix in (atom.SUFFIX, json_feed.SUFFIX)]
    return [f"feeds/{name}" for name in (*names, STAMP)], len(written)


def _others(settings: Settings, planned: Sequence[tuple[Renderer, Page]]) -> Iterator[tuple[str, bytes]]:
    """The files that are no pages: the look, and what robots read."""
    yield _LOOK, resources.files(__package__).joinpath(_LOOK).read_bytes()
    yield "icon.svg", _ICON
    if settings.url is None:
        return
    addresses = sorted(
        settings.url + renderer.prefix + page.path.removesuffix("index.html")
        for renderer, page in planned
        if page.listed
    )
    entries = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    frame = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{}</urlset>\n'
    yield "sitemap.xml", frame.format(entries).encode()
    yield "robots.txt", f"User-agent: *\nAllow: /\nSitemap: {settings.url}sitemap.xml\n".encode()
