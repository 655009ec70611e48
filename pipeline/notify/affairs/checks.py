"""Checks that have stopped, and checks that fail: one affair for each kind of failure, whatever its message says."""

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from db import read
from db.records import Outcome
from db.write import instant
from pipeline.notify.affairs.lines import detail, title
from pipeline.reports.messages.content import Affair
from pipeline.reports.wording import plural
from scraper.fetched import Result

_LASTING = 24
"""A kind of failure lasts until a check goes well, or so many that failed in other ways: the hourly checks of a day.

A site in trouble answers 503 and not at all by turns, and that is not news every hour.
"""

_AGAIN = ("watch287g check",)
_FAILED = frozenset({Outcome.FAILED, Outcome.FAILED_AGAIN})


class _Kind(NamedTuple):
    """How a kind of failure is told: what is wrong, what can be done, and with which commands."""

    title: str
    advice: str
    commands: tuple[str, ...] = _AGAIN


_KINDS = {
    "mistake": _Kind(
        "checks are not made: a mistake in config.yaml or corrections.yaml",
        "ICE is asked for nothing until it is mended.",
        ("watch287g config check", *_AGAIN),
    ),
    "not_made": _Kind("checks are not made", "ICE was asked for nothing."),
    "archive": _Kind(
        "raw files cannot be stored or read",
        "Is the disk full, or the archive's folder not writable? A damaged file is restored from a backup.",
        ("watch287g archive verify", *_AGAIN),
    ),
    "blocked": _Kind(
        "ICE's server refuses this program",
        "It answers 403, or with a block page. Set `source.contact` in config.yaml, ask less often, try from another"
        " network or write to ICE; do not pose as a browser.",
    ),
    "robots": _Kind("robots.txt forbids what is asked for", "ICE has changed its robots.txt: read what it allows."),
    "page_not_found": _Kind("ICE's page is not there", "Has it moved? Its address is `source.page` in config.yaml."),
    "page": _Kind(
        "ICE's page comes empty, cut short or too large",
        "Look at it in a browser; `source.max_page_bytes` in config.yaml is how large it may be.",
    ),
    "links": _Kind(
        "ICE's page links no participating list that is recognised",
        "Look at the page in a browser: if it does link one, a newer watch287g may know its new form.",
    ),
    "off_host": _Kind(
        "a link or redirect leads to a host that is not allowed",
        "If the host is ICE's, add it to `source.allowed_hosts` in config.yaml.",
    ),
    "not_found": _Kind(
        "ICE's page links a workbook that is not there",
        "ICE has done so before, for a while. It is asked for at every check until it comes.",
    ),
    "no_workbook": _Kind(
        "ICE's page links something that is no whole workbook",
        "Download it in a browser: if it is a list in another form, this program cannot read it yet.",
    ),
    "unreadable": _Kind(
        "a workbook of ICE's cannot be read",
        "It is kept in the archive. Open it in a spreadsheet program and look what has changed.",
    ),
    "unreachable": _Kind("ICE's server cannot be reached", "Is this machine online, and can it look up names?"),
    "tls": _Kind(
        "the connection to ICE's server cannot be trusted",
        "Is the clock right, are the root certificates up to date, is there a proxy in between?",
    ),
    "timeout": _Kind(
        "ICE's server does not answer in time", "If it lasts, see `source.timeout_seconds` in config.yaml."
    ),
    "server_error": _Kind("ICE's server has an error", "Nothing can be done here; it is asked again at every check."),
    "http_error": _Kind("ICE's server gives an answer that cannot be used", "Look at the page in a browser."),
    "crawl": _Kind("the program that asks ICE fails", "The crawl's log (`storage.log` in config.yaml) says more."),
    "other": _Kind("checks fail", "It is not known why."),
}

_OF_ANY: dict[str, str] = {
    Result.blocked: "blocked",
    Result.not_found: "not_found",
    Result.server_error: "server_error",
    Result.http_error: "http_error",
    Result.timeout: "timeout",
    Result.refused: "unreachable",
    Result.too_large: "no_workbook",
    Result.truncated: "no_workbook",
    Result.empty: "no_workbook",
    Result.html: "no_workbook",
    Result.not_a_workbook: "no_workbook",
    Result.no_links: "links",
    Result.links_changed: "links",
    Result.off_host: "off_host",
    Result.disallowed: "robots",
    Result.crawl_failed: "crawl",
}
_OF_THE_PAGE: dict[str, str] = {
    Result.not_found: "page_not_found",
    Result.too_large: "page",
    Result.truncated: "page",
    Result.empty: "page",
}

_MORE_EXACTLY = {
    "unreachable": ("tls", re.compile(r"certificate|SSL routines|\btlsv?\d", re.IGNORECASE)),
    "crawl": ("timeout", re.compile(r"not done within the crawl's limit")),
}
"""What one word of the scraper stands for, its message tells apart."""

_BESIDE_FETCHING = {
    "archive": re.compile(r"cannot store [0-9a-f]{12} in |the archive lacks [0-9a-f]{12} |is damaged: its content has"),
    "unreadable": re.compile(r" cannot be read: "),
    "links": re.compile(r"the page links no workbook that holds the participating list"),
}
"""What failed though everything asked for had come."""

_SETTINGS_FILE = re.compile(r"\.ya?ml\b", re.IGNORECASE)


class _Failed(NamedTuple):
    """A check in which something failed, and in which ways."""

    started_at: str
    kinds: frozenset[str]
    message: str


def stopped(connection: sqlite3.Connection, now: datetime, stale_hours: float) -> Iterator[Affair]:
    """That the last check is too long ago; before the first there is nothing to say."""
    last = connection.execute(
        'select finished_at, outcome, message from "check" where finished_at <= ? order by id desc limit 1',
        (instant(now),),  # not what a clock that was ahead has recorded
    ).fetchone()
    if last is None or read.moment(last[0]) >= now - timedelta(hours=stale_hours):
        return
    finished_at, outcome, message = last
    yield Affair(
        f"stopped:{finished_at}",
        title(f"no check has been made since {finished_at}"),
        (
            f"There should be one every {stale_hours:g} hours at least. Does the daemon, the timer or cron still run?",
            detail(f"The last one ended as {outcome}: {message}"),
        ),
        ("watch287g status", *_AGAIN),
        finished_at,
    )


_NOT_ASKED = frozenset({"mistake", "not_made"})
"""Failures in which ICE was asked for nothing: they say nothing of how its server is."""

_AT_ONCE = frozenset({"blocked", "robots", "archive", "mistake", "not_made"})
"""What does not mend itself: a person hears of the first such failure."""


def failing(connection: sqlite3.Connection, after_failures: int = 1) -> Iterator[Affair]:
    """The ways in which checks have failed since one last went well, so often at least where that may mend itself."""
    failed = list(_since_all_was_well(connection))
    asked = [check for check in failed if not check.kinds <= _NOT_ASKED] or failed
    lasting = frozenset[str]().union(*(check.kinds for check in (*asked[:_LASTING], *failed[:1])))
    for kind, told in _KINDS.items():
        if kind in lasting:
            such = [check for check in failed if kind in check.kinds]
            if len(such) < after_failures and kind not in _AT_ONCE:
                continue
            yield Affair(
                f"failing:{kind}",
                told.title,
                (
                    detail(
                        f"{plural(len(such), 'check')} failed so, the last at {such[0].started_at}: {such[0].message}"
                    ),
                    told.advice,
                ),
                told.commands,
                such[-1].started_at,
            )


def _since_all_was_well(connection: sqlite3.Connection) -> Iterator[_Failed]:
    """The unbroken row of checks in which something failed, the newest first.

    A check that found a change, or holds one, may have failed in part: then the row goes on.
    """
    rows = connection.execute('select started_at, outcome, fetched, message from "check" order by id desc')
    for started_at, outcome, fetched, message in rows:
        kinds = _kinds(outcome in _FAILED, fetched, message)
        if not kinds:
            return
        yield _Failed(started_at, kinds, message)


@lru_cache(maxsize=256)
def _kinds(failed: bool, fetched: str, message: str) -> frozenset[str]:
    """The ways in which a check failed, wholly or in part. Cached, since those in a row resemble each other."""
    answers = json.loads(fetched)
    found = {_kind(what, word, message) for what, word in answers.items() if isinstance(word, str)}
    if answers:
        found.update(kind for kind, words in _BESIDE_FETCHING.items() if words.search(message))
    if failed and not found:
        found.add("other" if answers else "mistake" if _SETTINGS_FILE.search(message) else "not_made")
    return frozenset(found)


def _kind(what: str, word: str, message: str) -> str:
    kind = (_OF_THE_PAGE if what == "page" else _OF_ANY).get(word) or _OF_ANY.get(word, "other")
    finer, words = _MORE_EXACTLY.get(kind, ("", None))
    return finer if words and words.search(message) else kind
