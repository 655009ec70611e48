"""A simulated year: hourly checks of a site that posts the archive's lists and fails in every way a fetch can fail.

`make year` makes 8,760 of them, which takes a quarter of an hour; `python -m tests.year 2000` the first 2,000. Checks,
site, crawls, database, archive and messages are the real ones; the time is the test's, and each crawl is forked from a
process that has Scrapy loaded. What came of it is compared with a backfill of the same sightings by a site that never
fails (`tests.reckoning`).
"""

from __future__ import annotations

import csv
import gc
import hashlib
import html
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import quote

from db.archive import Archive
from db.connect import close_writable, open_readonly, open_writable
from db.records import Outcome, Trigger
from pipeline import run
from pipeline.config import load
from pipeline.demo.server import ALLOW_ALL, Answer, Site
from pipeline.derive import Historian, Rules
from pipeline.notify import sending
from pipeline.notify.outbox import Outbox
from pipeline.notify.settings import AlertSettings
from pipeline.reading.workbook import modified
from scraper.settings import CrawlSettings
from tests import reckoning
from tests.affairs_told import QUIET_HOURS
from tests.archive import ARCHIVE
from tests.certificate import self_signed
from tests.failures import MOST_PAGE_BYTES, MOST_WORKBOOK_BYTES, ROBOTS, USUAL, Elsewhere, Failure, drawn
from tests.forked_crawl import Zygote
from tests.postings import Posting, beginning, last_chances, spread
from tests.replay import Seen, manifest

HOURS = 8760
SHARE = 0.05
"""Of the checks meet a failure."""

PAGE = "/identify-and-arrest/287g"
FILES = "/doclib/about/offices/ero/287g/"
STALE_HOURS = 26.0
_LAST_HOURS = 3
"""Checks at the end that go well, so that nothing is left open."""

_SAMPLES = 8
_SETTLING = 40
"""Checks before a sample among which the fewest open files and threads count: those of the last crawl may linger."""

_CONFIG = """\
storage:
  database: {name}.db
  archive: {name}
"""


@dataclass(frozen=True, slots=True)
class Course:
    """What happens in the year: what is posted when, and which check fails how; hours count from `start`."""

    postings: Sequence[Posting]
    failures: Mapping[int, Failure]
    hours: int
    start: datetime

    def at(self, hour: int) -> datetime:
        return self.start + timedelta(hours=hour)


def course(
    sightings: Sequence[Seen], hours: int, share: float = SHARE, seed: int = 287, lengths: Sequence[int] = USUAL
) -> Course:
    """A year, or a part, in which these sightings are posted and about a `share` of the checks fails.

    Whatever is posted stands for one good check at least: that a list is missed that nobody could see is no fault.
    """
    postings = spread(sightings, hours)
    free = set(range(1, hours - _LAST_HOURS)) - last_chances(postings)
    return Course(postings, drawn(hours, free, share, Random(seed), lengths), hours, beginning(postings))


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds after so many checks."""

    checks: int
    memory: int
    files: int
    threads: int


@dataclass(slots=True)
class Figures:
    """What is measured on the way."""

    samples: list[Sample] = field(default_factory=list)
    unchanged: int = 0
    unchanged_bytes: int = 0
    unchanged_memory: int = 0
    log_bytes: int = 0
    longest_wal: int = 0
    slowest: float = 0.0
    seconds: float = 0.0


def undisturbed(year: Course, folder: Path) -> Path:
    """The database of a history into which the same sightings were taken at once, by `watch287g backfill`."""
    taken_in, config = folder / "sightings", folder / "undisturbed.yaml"
    taken_in.mkdir(parents=True)
    config.write_text(_CONFIG.format(name="undisturbed"), encoding="utf-8")
    at: dict[int, int] = {}
    with (taken_in / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("path", "file_name", "seen_at"))
        for posting in year.postings:
            path = taken_in / posting.seen.path.name
            if not path.exists():
                shutil.copyfile(posting.seen.path, path)
            second = at[posting.hour] = at.get(posting.hour, -1) + 1
            seen_at = year.at(posting.hour) + timedelta(seconds=second)
            lines.writerow((path.name, posting.seen.file_name, seen_at.isoformat()))
    root = str(Path(__file__).resolve().parents[1])
    subprocess.run(
        [sys.executable, "-P", "-m", "pipeline", "--config", str(config), "backfill", str(taken_in)],
        env=os.environ | {"PYTHONPATH": root},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return folder / "undisturbed.db"


class Year:
    """A history in a folder, a site that it watches, and the checks of a course."""

    def __init__(self, folder: Path, year: Course, totals: Mapping[str, int]) -> None:
        """`totals`: how many rows each participating workbook has, by its SHA-256, which the page prints."""
        self.course, self.folder, self.figures = year, folder, Figures()
        self.now = year.start
        self._totals = totals
        self._outages = Random(year.hours)
        self._last_well = -1
        self._posted: dict[str, Posting] = {}
        self._pages: dict[str, Answer] = {}
        self._due = list(reversed(year.postings))
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(_temporary(self.folder / "temporary"))
        self.site, self._untrusted = (self._open.enter_context(Site()) for _ in range(2))
        self._untrusted.encrypt(self_signed(self.folder))
        with Site() as nobody:
            self._nobody = nobody.url
        self._zygote = self._open.enter_context(Zygote(self.clock))
        config = self.folder / "config.yaml"
        config.write_text(_CONFIG.format(name="history"), encoding="utf-8")
        settings = load(config)
        self._rules = Rules(settings.policy, link_hosts=settings.source.link_hosts)
        self.database, self.log = self.folder / "history.db", self.folder / "crawl.log"
        self.connection: sqlite3.Connection = open_writable(self.database)
        self._open.callback(lambda: close_writable(self.connection))
        self.archive = Archive(self.folder / "history")
        self.alerts = AlertSettings.model_validate(
            {
                "subscribers": [
                    {"name": "everything", "corrections": "all", "channels": [{"folder": str(self.folder / "told")}]}
                ],
                "alerts": {
                    "operators": {
                        "channels": [{"folder": str(self.folder / "operators")}],
                        "quiet_hours": QUIET_HOURS,
                    },
                    "delivery": {"pause_seconds": 0},
                },
            }
        )
        self._usual = CrawlSettings(
            page_url=self.site.url + PAGE,
            allowed_hosts=("127.0.0.1",),
            user_agent="watch287g-tests (+https://example.org/contact)",
            delay_seconds=0.0,
            timeout_seconds=30.0,
            retries=1,
            backoff_base_seconds=0.0,
            max_page_bytes=MOST_PAGE_BYTES,
            max_workbook_bytes=MOST_WORKBOOK_BYTES,
            hard_limit_seconds=60.0,
            log_file=str(self.log),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def clock(self) -> datetime:
        return self.now

    def run(self) -> None:
        """All checks, one after another."""
        begun = time.monotonic()
        recent: list[tuple[int, int]] = []
        for hour in range(self.course.hours):
            before = time.monotonic()
            self.check(hour)
            self.figures.slowest = max(self.figures.slowest, time.monotonic() - before)
            recent = [*recent[1 - _SETTLING :], (_open_files(), threading.active_count())]
            if (hour + 1) % (self.course.hours // _SAMPLES) == 0:
                gc.collect()
                files, threads = (min(column) for column in zip(*recent, strict=True))
                self.figures.samples.append(Sample(hour + 1, _memory(), files, threads))
                print(f"{hour + 1} checks, {time.monotonic() - begun:.0f} s", file=sys.stderr)
        self.figures.seconds = time.monotonic() - begun
        self.figures.log_bytes = self.log.stat().st_size

    def check(self, hour: int) -> Outcome:
        """What the daemon does once an hour: a check, and what is to be told."""
        self.now = self.course.at(hour)
        self._post(hour)
        failure = self.course.failures.get(hour)
        settings = self._strike(failure) if failure else self._usual
        size, memory = self._size(), _memory()
        outcome = run.check(
            self.connection, self.archive, settings, self._historian, Trigger.SCHEDULE, clock=self.clock,
            start=self._zygote.start,
        ).outcome  # fmt: skip
        if outcome is Outcome.UNCHANGED:
            self.figures.unchanged += 1
            self.figures.unchanged_bytes += self._size() - size
        self._calm()
        self._last_well = self._last_well if failure else hour
        sent = sending.send(self.connection, self.alerts, self.folder, STALE_HOURS, clock=self.clock)
        assert not sent.problems, sent.problems
        if outcome is Outcome.UNCHANGED and hour > self.course.hours // 4:
            self.figures.unchanged_memory += _memory() - memory
        wal = Path(f"{self.database}-wal")
        self.figures.longest_wal = max(self.figures.longest_wal, wal.stat().st_size if wal.exists() else 0)
        return outcome

    def _historian(self) -> Historian:
        outbox = Outbox(self.alerts.subscribers, self.clock)
        return Historian(self.connection, self.archive, self._rules, outbox=outbox)

    def _size(self) -> int:
        pages, size = (self.connection.execute(f"pragma {what}").fetchone()[0] for what in ("page_count", "page_size"))
        return int(pages * size)

    def _post(self, hour: int) -> None:
        """Put on the site what is posted at this hour, in place of what stood there."""
        came = False
        while self._due and self._due[-1].hour <= hour:
            posting = self._due.pop()
            self._posted[posting.list] = posting
            came = True
        if came:
            self._pages = {ROBOTS: Answer(body=ALLOW_ALL)}
            self._pages |= {address(one): _workbook(one.seen.path) for one in self._posted.values()}
            self._pages[PAGE] = _page(self._posted, self._total())
        self.site.pages = dict(self._pages)

    def _total(self) -> int | None:
        posting = self._posted["participating"]
        return self._totals.get(hashlib.sha256(posting.seen.path.read_bytes()).hexdigest())

    def _strike(self, failure: Failure) -> CrawlSettings:
        """Have the next crawl fail; returns its settings."""
        if failure.page:
            self.site.pages |= failure.page(PAGE, self._pages[PAGE])
        if failure.workbook:
            for one in self._struck():
                self.site.pages |= failure.workbook(address(one), self._pages[address(one)])
        places = {
            Elsewhere.no_such_host: "http://287g.invalid",
            Elsewhere.not_trusted: self._untrusted.url,
            Elsewhere.nobody: self._nobody,
        }
        settings = replace(self._usual, **failure.settings)
        if failure.elsewhere:
            hosts = (*settings.allowed_hosts, "287g.invalid")
            settings = replace(settings, page_url=places[failure.elsewhere] + PAGE, allowed_hosts=hosts)
        return settings

    def _struck(self) -> list[Posting]:
        """One workbook of the page, or both: where both are new, so that the second is not found before the first."""
        new = [one for one in self._posted.values() if one.hour > self._last_well]
        every = sorted(self._posted.values(), key=lambda one: one.list)
        return every if len(new) > 1 else self._outages.choice([every, every[:1], every[-1:]])

    def _calm(self) -> None:
        """Let go of the connections that hang, and forget the requests."""
        for site in (self.site, self._untrusted):
            hanging, site.closed = site.closed, threading.Event()
            hanging.set()
            site.requests.clear()


def address(posting: Posting) -> str:
    """Where a list is posted."""
    return FILES + quote(posting.seen.file_name)


def _workbook(path: Path) -> Answer:
    data = path.read_bytes()
    # What ICE's server would say is not known; so the dates are the same as those of a backfill.
    at = modified(data)
    dated = {"Last-Modified": format_datetime(at.astimezone(UTC), usegmt=True)} if at else {}
    return Answer(headers={"ETag": _tag(data), **dated}, body=data)


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


_TEXTS = {
    "participating": "View 287(g) Participating Agencies",
    "pending": "View 287(g) Pending Agencies",
}


def _page(posted: Mapping[str, Posting], total: int | None) -> Answer:
    """A page such as ICE's, written by hand: the two lists among other links, and the total that it prints."""
    links = "".join(
        f'<li><a href="{html.escape(address(posting))}">{_TEXTS[name]}</a> [XLSX]</li>'
        for name, posting in sorted(posted.items())
    )
    signed = f"ICE has signed {total:,} Memorandums of Agreement for 287(g) programs." if total is not None else ""
    content = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Partner With ICE Through the 287(g) Program | ICE</title></head>
<body><header><a href="/">ICE</a><a href="/careers">Careers</a></header><main><h1>Delegation of Immigration Authority
Section 287(g) Immigration and Nationality Act</h1><p>{signed}</p><p>The 287(g) Program's three models:
Jail Enforcement Model, Task Force Model, Warrant Service Officer.</p>
<ul><li><a href="/doclib/about/offices/ero/287g/factsheet287gJEM.pdf">Fact sheet</a></li>
<li><a href="/doclib/about/offices/ero/287g/moaTemplateTFM.pdf">Memorandum of Agreement, template</a></li></ul>
<h2>Participating Entities</h2><ul>{links}</ul></main></body></html>""".encode()
    return Answer(headers={"Content-Type": "text/html; charset=UTF-8", "ETag": _tag(content)}, body=content)


@contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Have temporary files made in a folder of their own, to see what is left of them."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    named = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if named is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = named


def _memory() -> int:
    """The bytes that this process has in memory, as Linux tells."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def totals(database: Path) -> dict[str, int]:
    """How many rows each participating workbook has, by its SHA-256."""
    with closing(open_readonly(database)) as connection:
        return dict(
            tuple(row)
            for row in connection.execute(
                "select workbook_sha256, rows from publication_log where list = 'participating'"
            )
        )


def main(hours: int = HOURS) -> int:
    """The first so many hours; prints the figures, and what is wrong."""
    if not ARCHIVE.is_dir():
        print("needs the archive of real workbooks, ../shared/archive")
        return 1
    every = manifest()
    year = course(every[: max(3, len(every) * hours // HOURS)], hours)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        reference = undisturbed(year, folder)
        print(f"backfill: {len(year.postings)} sightings, {time.monotonic() - begun:.0f} s", file=sys.stderr)
        with Year(folder, year, totals(reference)) as lived:
            lived.run()
            wrong = reckoning.wrong(lived, reference)
            for line in reckoning.account(lived):
                print(line)
    print(f"{len(wrong)} things wrong")
    for line in wrong[:40]:
        print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
