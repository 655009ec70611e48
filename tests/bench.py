"""Speed as ratios within one run, and sizes: `make bench`.

Absolute times on a shared machine say little; a ratio of two things timed in turn does. Each line names its limit;
the exit code is 1 if one is exceeded.
"""

import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from db import read, write
from db.connect import open_writable, transaction
from db.records import Outcome, Trigger
from pipeline.demo.server import Answer, Site
from tests.archive import ARCHIVE
from tests.workbooks import participating, pending

_REPOSITORY = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
_WATCH = [sys.executable, "-c", "from pipeline.cli.entry import main; import sys; sys.exit(main())"]
_LARGEST_LIST = 1_843
_FIRST = datetime(2025, 3, 3)  # noqa: DTZ001 - a cell has no time zone
_SPIDER = """
import sys, scrapy
from scrapy.crawler import CrawlerProcess

class One(scrapy.Spider):
    name = "one"
    start_urls = [sys.argv[1]]

    def parse(self, response):
        return {"title": response.css("title::text").get(), "links": response.css("a::attr(href)").getall()}

process = CrawlerProcess({"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False})
process.crawl(One)
process.start()
"""
_OPENPYXL = """
import sys, warnings
from pathlib import Path
import openpyxl
warnings.simplefilter("ignore")
for path in sorted(Path(sys.argv[1]).glob("workbooks/*.xlsx")):
    for sheet in openpyxl.load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                cell.value, cell.hyperlink
"""


class Report:
    """Prints each figure beside its limit and remembers whether all were kept."""

    def __init__(self) -> None:
        self.kept = True

    def line(self, what: str, figure: float, limit: float, unit: str = "") -> None:
        """One figure; `limit` is the most that it may be."""
        self.kept &= figure <= limit
        print(
            f"{what:<58} {figure:>8.2f}{unit}  limit {limit:g}{unit}  {'ok' if figure <= limit else 'EXCEEDED'}",
            flush=True,
        )


def main() -> int:
    """Measure everything; returns the exit code."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        bench_checks(report, Path(folder))
        bench_growth(report, Path(folder))
        if not ARCHIVE.is_dir():
            print("the archive is not beside the repository: no figures for backfill")
        else:
            bench_backfill(report, Path(folder), ARCHIVE)
    return 0 if report.kept else 1


def timed(command: Sequence[str], codes: Sequence[int] = (0,), before: Callable[[], None] = lambda: None) -> float:
    """Seconds that a command takes as a whole process."""
    before()
    start = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, cwd=_REPOSITORY, env=_ENVIRONMENT)
    seconds = time.perf_counter() - start
    if done.returncode not in codes:
        sys.exit(f"{command[-2:]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return seconds


def bench_backfill(report: Report, folder: Path, archive: Path) -> None:
    """The whole archive against openpyxl alone reading the same workbooks, and the site made of it against both."""
    database = folder / "backfill" / "H.db"

    def fresh() -> None:
        shutil.rmtree(database.parent, ignore_errors=True)

    ratios, sites, again = [], [], []
    site = [*_WATCH, "--db", str(database), "site", str(database.parent / "site")]
    for _ in range(3):
        ours = timed([*_WATCH, "--db", str(database), "backfill", str(archive)], before=fresh)
        ratios.append(ours / timed([sys.executable, "-c", _OPENPYXL, str(archive)]))
        sites.append(timed(site) / ours)
        again.append(timed(site) / ours)
    report.line("backfill of the archive / openpyxl reading it", statistics.median(ratios), 0.25)
    report.line("site of the archive / its backfill", statistics.median(sites), 1)
    report.line("site of the archive again, unchanged / its backfill", statistics.median(again), 1)
    report.line("database after the backfill", database.stat().st_size / 1e6, 12, " MB")
    report.line("peak memory of the site", _peak(site), 250, "MB")
    fresh()
    report.line(
        "peak memory of the backfill", _peak([*_WATCH, "--db", str(database), "backfill", str(archive)]), 200, "MB"
    )


def _peak(command: Sequence[str]) -> float:
    """Peak resident memory (MB) of the largest process of a command, measured by a process of its own."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], check=True, capture_output=True, cwd=_REPOSITORY, env=_ENVIRONMENT
    )
    return int(done.stdout.split()[-1]) / 1024


def bench_checks(report: Report, folder: Path) -> None:
    """An unchanged check, and one that brings a full-size list, against a bare spider for one page."""
    with Site() as site:
        config = folder / "config.yaml"
        config.write_text(f"source: {{page: '{site.url}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0}}\n")
        check = [*_WATCH, "--config", str(config), "check"]
        bare = [sys.executable, "-c", _SPIDER, f"{site.url}/287g"]
        _post(site, 0)
        timed(check)
        timed(bare)
        unchanged = [timed(check) / timed(bare) for _ in range(7)]
        report.line("unchanged check / bare 20-line spider", statistics.median(unchanged), 1.25)
        changed = [timed(check, (3,), partial(_post, site, day)) / timed(bare) for day in range(1, 6)]
        report.line("check that brings a full-size list / bare spider", statistics.median(changed), 1.6)


def _post(site: Site, day: int) -> None:
    """Post a participating list of the largest size so far, a row longer than the day before, and a pending one."""
    rows = [
        (
            "TEXAS",
            f"Agency {n:04} Police Department",
            "Municipality",
            None,
            "Task Force Model",
            _FIRST + timedelta(n % 300),
            "link",
        )
        for n in range(_LARGEST_LIST + day)
    ]
    links = {f"G{n + 2}": f"https://www.ice.gov/doclib/287gMOA/agency{n}.pdf" for n in range(_LARGEST_LIST - 100)}
    on = datetime(2026, 1, 5, 12, tzinfo=UTC) + timedelta(days=day)
    name = f"participatingAgencies{on:%m%d%Y}am.xlsx"
    files = {
        name: participating(rows, links=links, modified=on),
        "pendingAgencies01052026am.xlsx": pending([], modified=on.replace(day=5)),
    }
    anchors = "".join(f'<a href="/doclib/{file}">View 287(g) {file[:13]} Agencies</a>' for file in files)
    site.pages["/287g"] = Answer(
        headers={"ETag": f'"page{day}"', "Content-Type": "text/html"}, body=f"<html>{anchors}</html>".encode()
    )
    for file, body in files.items():
        site.pages[f"/doclib/{file}"] = Answer(headers={"ETag": f'"{file}"'}, body=body)


def bench_growth(report: Report, folder: Path) -> None:
    """What 1,000 further unchanged checks add to the database that `bench_checks` has made."""
    connection = open_writable(folder / "data" / "history.db")
    size = _size(connection)
    sightings = [sighting for _, sighting in read.last_seen(connection).values()]
    fetched = {"page": 304, "participatingAgencies01102026am.xlsx": 304, "pendingAgencies01052026am.xlsx": 304}
    for hour in range(1_000):
        now = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=hour)
        with transaction(connection):
            for sighting in sightings:
                write.extend_sighting(connection, sighting, now)
            write.add_check(connection, now, now, Trigger.SCHEDULE, Outcome.UNCHANGED, fetched, "nothing has changed")
    report.line("growth by 1,000 unchanged checks", (_size(connection) - size) / 1e6, 1, " MB")
    connection.close()


def _size(connection: sqlite3.Connection) -> int:
    connection.execute("pragma wal_checkpoint(truncate)")
    pages, size = connection.execute("select page_count, page_size from pragma_page_count, pragma_page_size").fetchone()
    return int(pages * size)


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}", flush=True)
    code = main()
    print(f"peak memory of the benchmark itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    sys.exit(code)
