"""A small history in which everything happens, the site made of it, and how tests read a site."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import html5lib

from db.connect import open_readonly
from pipeline.publish.site.build import Built, site
from pipeline.publish.site.rendering import Settings
from tests.db.histories import History, Posted, sheriff, write_folder
from tests.pipeline.reports.story import LISTS

_ADDRESS = re.compile(r'\s(?:href|src)="([^"]*)"|content="0; url=([^"]*)"')
_IDENT = re.compile(r'\sid="([^"]*)"')

HOSTILE = "<script>alert('x')</script> & \"Sons\" Police"
_GUAM = {
    "STATE": "GUAM",
    "LAW ENFORCEMENT AGENCY": HOSTILE,
    "TYPE": "Municipality",
    "COUNTY": None,
    "SIGNED": datetime(2025, 3, 7),  # noqa: DTZ001 - a cell has no time zone
}

MORE = (
    Posted(
        "participating",
        8,
        [
            *LISTS[-1].rows,
            sheriff("Kerr", state="TEXAS", agency="Kerr Conty Sheriffs Office"),
            {**_GUAM, "MOA": "https://evil.example/a.pdf"},
        ],
    ),
    Posted("participating", 10, [*LISTS[-1].rows, sheriff("Kerr", state="TEXAS"), _GUAM]),
)
"""Kerr in Texas is first misspelt, then not; a name in Guam is full of markup."""


def write(folder: Path, *posted: Posted) -> Path:
    """A history of these lists, or of those above; gives the database."""
    folder.mkdir(parents=True, exist_ok=True)
    with History(folder) as history:
        history.backfill(write_folder(folder / "lists", posted or (*LISTS, *MORE)))
    return folder / "history.db"


def built(database: Path, folder: Path, **settings: Any) -> Built:
    """Write the site of a history into a folder."""
    with closing(open_readonly(database)) as connection:
        return site(connection, folder, Settings(**settings))


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its inode and time of change: what differs if it was written."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pages(folder: Path) -> list[Path]:
    """Every page of a site, in order."""
    return sorted(folder.rglob("*.html"))


def faults(page: Path) -> list[Any]:
    """What a strict parser of HTML finds wrong with a page."""
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(page.read_bytes())
    return list(parser.errors)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: Path) -> _Reader:
    """The tags of a page with their attributes, and its texts."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def text(page: Path) -> str:
    """What a page says, in one line."""
    return " ".join(" ".join(read(page).words).split())


def links(page: Path) -> list[str]:
    """The addresses that a page links, loads or leads on to."""
    source = page.read_text(encoding="utf-8")
    return [unescape(one) for found in _ADDRESS.findall(source) for one in found if one]


def broken(folder: Path) -> list[tuple[str, str]]:
    """(page, address) of each link inside the site that leads nowhere, the part of a page that it names included."""
    ids = {
        page: {attributes["id"] for _, attributes in read(page).tags if "id" in attributes} for page in pages(folder)
    }
    found = []
    for page in ids:
        for address in links(page):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or (parts.fragment and parts.fragment not in ids[target]):
                found.append((str(page.relative_to(folder)), address))
    return found
