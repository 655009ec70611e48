"""A local site in the place of ICE's, and a history that watches it with the real check, as a config file says.

with Site() as site, Watched(tmp_path, site) as watched:
    post(site, Posted("participating", 0, rows("Bay", "Clay")))
    watched.check().outcome
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

import pytest

from db.archive import Archive
from db.connect import open_writable
from pipeline import run
from pipeline.config import load, paths
from pipeline.demo.server import ALLOW_ALL, Answer, Site
from pipeline.derive import Historian, Rules
from tests.db.histories import Posted

PAGE = "/287g"
CONFIG = """\
source:
  page: {page}
  allowed_hosts: [127.0.0.1]
  contact: the tests
  delay_seconds: 0
  backoff_base_seconds: 0
  retries: 0
storage:
  database: history.db
  archive: archive
  log: crawl.log
"""


@contextmanager
def local_site() -> Iterator[Site]:
    """A site that is asked directly, whatever proxy the environment names."""
    with pytest.MonkeyPatch.context() as environment, Site() as site:
        environment.setenv("no_proxy", "127.0.0.1")
        yield site


def cleared(site: Site) -> Site:
    """The site with nothing on it, and asked for nothing yet."""
    site.pages = {"/robots.txt": Answer(body=ALLOW_ALL)}
    site.requests.clear()
    return site


def write_config(folder: Path, site: Site) -> Path:
    """A config file for a history in `folder` that watches `site`."""
    file = folder / "config.yaml"
    file.write_text(CONFIG.format(page=site.url + PAGE), encoding="utf-8")
    return file


def address(posted: Posted) -> str:
    """The path at which a list is posted."""
    return f"/doclib/{posted.file_name}"


def answer(posted: Posted) -> Answer:
    """The file, with the validators that ICE's server sends."""
    modified = format_datetime(posted.seen_at, usegmt=True)
    return Answer(headers={"ETag": _tag(posted.data), "Last-Modified": modified}, body=posted.data)


def post(site: Site, *posted: Posted, prose: str = "") -> None:
    """Have these lists on the site and link them, and no others."""
    site.pages |= {address(one): answer(one) for one in posted}
    link(site, *map(address, posted), prose=prose)


def link(site: Site, *addresses: str, prose: str = "") -> None:
    """Have the page link these addresses, and no others."""
    anchors = "".join(f'<li><a href="{one}">View 287(g) Agencies</a></li>' for one in addresses)
    html = f"<!DOCTYPE html><html><body><p>{prose}</p><ul>{anchors}</ul></body></html>".encode()
    site.pages[PAGE] = Answer(headers={"Content-Type": "text/html", "ETag": _tag(html)}, body=html)


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:12]}"'


class Watched:
    """A history in a folder, and checks that continue it."""

    def __init__(self, folder: Path, site: Site) -> None:
        file = write_config(folder, site)
        config = load(file)
        self.connection: sqlite3.Connection = open_writable(paths(config, file, None).database)
        self._archive = Archive(paths(config, file, None).archive)
        self._settings = run.crawl_settings(config.source, paths(config, file, None).log)
        self._rules = Rules(config.policy, link_hosts=config.source.link_hosts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def check(self, hook: Callable[[], None] = lambda: None) -> run.Checked:
        """One check of the site."""
        historian = Historian(self.connection, self._archive, self._rules, hook=hook)
        return run.check(self.connection, self._archive, self._settings, lambda: historian, hook=hook)

    def checks(self, number: int) -> list[str]:
        """The outcomes of so many checks."""
        return [self.check().outcome.value for _ in range(number)]

    def rows(self, view: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """A table or view as it stands."""
        return [tuple(row) for row in self.connection.execute(f'select {columns} from "{view}"')]  # noqa: S608

    def events(self) -> list[tuple[str, str, str]]:
        """Kind, status and agency of every event."""
        return self.rows("event_log", "kind, status, agency")

    def told(self) -> list[list[tuple[Any, ...]]]:
        """Everything of the record that a reader sees, but for the log of the checks and when lists were last seen."""
        publications = "list, workbook_sha256, file_name, first_seen_at, published_on, rows, verdict, reason, checks"
        views = (
            ("event_log", "*"),
            ("current_agreements", "*"),
            ("listing_history", "*"),
            ("publication_log", publications),
        )
        return [self.rows(view, columns) for view, columns in views]

    def sizes(self) -> dict[str, int]:
        """How many rows each table has, but for the log of the checks."""
        tables = self.connection.execute("select name from sqlite_master where type = 'table' and name <> 'check'")
        return {name: len(self.rows(name)) for (name,) in tables.fetchall()}
