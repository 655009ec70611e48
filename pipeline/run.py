"""One check of ICE's page, from start to end.

What came back is judged value by value: only bytes and a 304 are evidence, a failure changes nothing. Bytes are in the
archive before anything reads them; an address's validators are kept only once its bytes are there, so that a file that
was linked before it could be fetched is asked for again until it comes.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from db import read, write
from db.archive import Archive, ArchiveError
from db.connect import transaction
from db.records import Kind, ListName, Outcome, Sighting, Status, Step, Trigger, Verdict
from pipeline import __version__
from scraper import crawl
from scraper.fetched import Fetched, Link, Target
from scraper.settings import CrawlSettings, Known, KnownWorkbook

if TYPE_CHECKING:
    from pipeline.config import Source
    from pipeline.derive import Historian

_WANTED_IF_CHANGED = ("pipeline.reading.normalize", "pipeline.queries")
"""Loaded while ICE's answer is awaited, when it costs no time."""
_LARGEST_LOG = 5_000_000

_FAILURES = (Outcome.FAILED, Outcome.FAILED_AGAIN)


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check ended, in one word and one line, and what was decided about each new publication."""

    outcome: Outcome
    message: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A workbook that the page links now: its address, its bytes' hash, and the fetch that says so."""

    fetched: Fetched
    sha256: str
    file_name: str


def crawl_settings(source: "Source", log: Path) -> CrawlSettings:
    """The config's source as the scraper takes it."""
    return CrawlSettings(
        page_url=source.page,
        allowed_hosts=source.allowed_hosts,
        user_agent=source.user_agent.format(version=__version__, contact=source.contact),
        obey_robots=source.obey_robots,
        delay_seconds=source.delay_seconds,
        timeout_seconds=source.timeout_seconds,
        retries=source.retries,
        backoff_base_seconds=source.backoff_base_seconds,
        backoff_cap_seconds=source.backoff_cap_seconds,
        max_page_bytes=source.max_page_bytes,
        max_workbook_bytes=source.max_workbook_bytes,
        hard_limit_seconds=source.hard_limit_seconds,
        log_file=str(log),
    )


def check(
    connection: sqlite3.Connection,
    archive: Archive,
    settings: CrawlSettings,
    historian: "Callable[[], Historian]",
    trigger: Trigger = Trigger.MANUAL,
    hook: Callable[[], None] = lambda: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    start: Callable[[CrawlSettings, Known], crawl.Crawl] = crawl.start,
) -> Checked:
    """Fetch, archive, read, compare and record.

    Args:
        historian: makes the historian, asked only if something new has to be read or decided.
        hook: called after every commit of this function (tests kill the process there).
        clock: gives the time, aware, in UTC; and `start` starts a crawl (a year of checks is tried in minutes).
    """
    _keep_small(Path(settings.log_file) if settings.log_file else None)
    historian = cache(historian)  # one that keeps between the steps what it has read
    started = clock()
    known = _known(connection, settings.page_url)
    with start(settings, known) as running:
        for module in _WANTED_IF_CHANGED:
            import_module(module)
        fetched = running.wait()
    try:
        seen, problems = _archive(connection, archive, fetched, started, hook)
        if read.undescribed(connection):
            historian().describe()
        problems += _unreadable(connection, seen)
        with transaction(connection):
            _record(connection, settings.page_url, fetched, seen)
        hook()
        fresh = read.sightings(connection, unassigned_only=True)
        steps = historian().derive().steps if fresh else ()
    except ArchiveError as error:
        seen, problems, steps = [], [str(error)], ()
    problems += _missing_list(connection, seen) if not problems else []
    checked = _judge(connection, problems, steps)
    with transaction(connection):
        summary = {f.file_name or f.url if f.target is Target.workbook else "page": _word(f) for f in fetched}
        write.add_check(connection, started, clock(), trigger, checked.outcome, summary, checked.message)
    hook()
    return checked


def _keep_small(log: Path | None) -> None:
    """The crawl's log begins anew when it has grown; the one before it is kept beside it."""
    with suppress(OSError):
        if log is not None and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))


def not_made(connection: sqlite3.Connection, message: str, trigger: Trigger = Trigger.MANUAL) -> Checked:
    """Record a check that could not be made, and why: ICE was asked for nothing, so it is a failure."""
    now = datetime.now(UTC)
    outcome = Outcome.FAILED_AGAIN if read.last_outcome(connection) in _FAILURES else Outcome.FAILED
    with transaction(connection):
        write.add_check(connection, now, now, trigger, outcome, {}, message)
    return Checked(outcome, message)


def _what(fetched: Fetched) -> str:
    return f"the page {fetched.url}" if fetched.target is Target.page else fetched.file_name or fetched.url


def _word(fetched: Fetched) -> str | int:
    return fetched.status if fetched.status and not fetched.failed else fetched.result.value


def _known(connection: sqlite3.Connection, page_url: str) -> Known:
    """What the last check left for conditional requests: the page's validators and those of the workbooks it linked."""
    page = read.page(connection, page_url)
    if page is None:
        return Known()
    links = read.links(connection)
    workbooks = []
    for stored in json.loads(page["links"] or "[]"):
        link = Link(**stored)
        validators = links.get(link.url)
        workbooks.append(
            KnownWorkbook(link, validators.etag, validators.last_modified) if validators else KnownWorkbook(link)
        )
    return Known(page["etag"], page["last_modified"], tuple(workbooks))


def _archive(
    connection: sqlite3.Connection,
    archive: Archive,
    fetched: Sequence[Fetched],
    now: datetime,
    hook: Callable[[], None],
) -> tuple[list[_Seen], list[str]]:
    """Put new bytes into the archive; returns the workbooks that stand on the page now, and what went wrong."""
    links = read.links(connection)
    seen, problems = [], [f"{_what(f)}: {f.message or f.result}" for f in fetched if f.failed]
    arrived = {}
    for f in fetched:
        if f.target is not Target.workbook or f.failed:
            continue
        if f.ok:
            sha256 = archive.put(f.body)
            arrived[sha256] = len(f.body)
            seen.append(_Seen(f, sha256, f.file_name or f.url.rsplit("/", 1)[-1]))
        elif (validators := links.get(f.url)) is not None and validators.workbook:
            seen.append(_Seen(f, validators.workbook, validators.file_name or ""))
    if arrived:
        with transaction(connection):
            for sha256, size in arrived.items():
                write.add_workbook(connection, sha256, size, now)
        hook()
    return seen, problems


def _unreadable(connection: sqlite3.Connection, seen: Iterable[_Seen]) -> list[str]:
    problems = []
    for item in seen:
        described = read.described(connection, item.sha256)
        if described is not None and described.unreadable:
            problems.append(f"{item.file_name} cannot be read: {described.unreadable}")
    return problems


def _record(connection: sqlite3.Connection, page_url: str, fetched: Sequence[Fetched], seen: Sequence[_Seen]) -> None:
    """Note the page, the validators and the sightings, in one transaction.

    Sightings are the order of the history: each is a second later than the one before, also where two checks fall in
    one second, or the clock was once ahead.
    """
    page = next((f for f in fetched if f.target is Target.page), None)
    totals = page.totals.agreements if page is not None and page.totals else _stored_totals(connection, page_url)
    if page is not None and page.ok:
        links = [
            {"url": x.url, "text": x.text, "list_hint": x.list_hint, "known_shape": x.known_shape} for x in page.links
        ]
        numbers = {"agreements": totals} if totals is not None else None
        etag, modified = page.headers.get("etag"), page.headers.get("last-modified")
        write.set_page(connection, page_url, etag, modified, links, numbers, page.fetched_at)
    latest = read.last_seen(connection)
    latest_at = read.last_sighting(connection) or datetime.min.replace(tzinfo=UTC)
    for item in seen:
        headers = item.fetched.headers
        if item.fetched.ok:
            etag, modified = headers.get("etag"), headers.get("last-modified")
            write.set_link(connection, item.fetched.url, item.sha256, item.file_name, etag, modified)
    for list_name, item in _newest_of_each_list(connection, seen).items():
        workbook, sighting = latest.get(list_name, (None, 0))
        if workbook == item.sha256 and read.sighted_as(connection, sighting) == item.file_name:
            write.extend_sighting(connection, sighting, item.fetched.fetched_at)
            continue
        seen_at = max(item.fetched.fetched_at, latest_at + timedelta(seconds=1))
        latest_at = seen_at
        write.add_sighting(
            connection,
            Sighting(
                item.sha256,
                item.file_name,
                seen_at,
                item.fetched.final_url,
                _http_date(item.fetched.headers.get("last-modified")),
                item.fetched.headers,
            ),
            totals,
        )


def _stored_totals(connection: sqlite3.Connection, page_url: str) -> int | None:
    page = read.page(connection, page_url)
    stored = json.loads(page["totals"]) if page and page["totals"] else {}
    number = stored.get("agreements")
    return int(number) if number is not None else None


def _newest_of_each_list(connection: sqlite3.Connection, seen: Iterable[_Seen]) -> dict[ListName, _Seen]:
    """Where the page links two workbooks of one list, the one modified last is the list."""
    newest: dict[ListName, tuple[datetime, _Seen]] = {}
    for item in seen:
        described = read.described(connection, item.sha256)
        if described is None or described.list is None:
            continue
        modified = described.modified or datetime.min.replace(tzinfo=UTC)
        if described.list not in newest or modified > newest[described.list][0]:
            newest[described.list] = (modified, item)
    return {name: item for name, (_, item) in newest.items()}


def _http_date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _missing_list(connection: sqlite3.Connection, seen: Iterable[_Seen]) -> list[str]:
    """The pending list has been absent for long stretches; a page without the participating one is a failure."""
    lists = {described.list for item in seen if (described := read.described(connection, item.sha256))}
    return [] if ListName.PARTICIPATING in lists else ["the page links no workbook that holds the participating list"]


def _judge(connection: sqlite3.Connection, problems: Sequence[str], steps: Sequence[Step]) -> Checked:
    """The outcome in one word: held before failed before changed, since each asks for more of a person."""
    before = read.last_outcome(connection)
    told = [_told(step) for step in steps]
    message = "; ".join([*told, *problems])
    if any(step.verdict is Verdict.HELD for step in steps):
        return Checked(Outcome.HELD, message, tuple(steps))
    news = any(step.events or step.status_changes for step in steps)
    if problems and not news:
        outcome = Outcome.FAILED_AGAIN if before in _FAILURES else Outcome.FAILED
        return Checked(outcome, message, tuple(steps))
    if news:
        return Checked(Outcome.CHANGED, message, tuple(steps))
    if any(step.verdict is Verdict.ACCEPTED for step in steps) and len(read.publications(connection)) == len(steps):
        return Checked(Outcome.FIRST, f"baseline: {message}", tuple(steps))
    quiet = Outcome.RECOVERED if before in _FAILURES else Outcome.UNCHANGED
    return Checked(quiet, message or "nothing has changed", tuple(steps))


def _told(step: Step) -> str:
    name = f"{step.publication.list} list {step.publication.file_name}"
    if step.verdict is not Verdict.ACCEPTED:
        return f"{name} {step.verdict}: {step.reason}"
    counts = [f"{n} {kind}" for kind in Kind if (n := sum(event.kind is kind for event in step.events))]
    statuses = [change.status for change in step.status_changes]
    counts += [f"{statuses.count(s)} earlier {s}" for s in Status if s in statuses]
    return f"{name}: {step.rows} rows, {', '.join(counts) or 'no event'}"
