"""A process that is killed on purpose, again and again: run as `python -m tests.db.killing MODE ...`.

The work is done once to have everything loaded; each attempt is a fork of this process that does it again and sends
itself SIGKILL at a given instant. An instant is a commit (the hooks), or else an SQL statement or a step of writing a
raw file (a temporary file, a rename). It is given in thousandths of an undisturbed run; as a count and not a time, so
that the same number is the same place.

    backfill FOLDER SCRATCH [INSTANT...]      kill a backfill at each of these instants, or else at every commit
    chain FOLDER SCRATCH INSTANT...           kill one and the same history at each of these instants, in turn
    once HOME PAGE_URL                        one undisturbed check of a new history in HOME
    check HOME PAGE_URL SCRATCH [INSTANT...]  as backfill, for a check that starts from a copy of HOME each time

Prints one JSON object: kills, instants (of an undisturbed run) and wrong (what differs from it, or is broken).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from db.archive import Archive
from db.connect import open_writable
from pipeline.backfill import take_in
from pipeline.derive import Historian, Rules
from pipeline.run import check
from scraper.settings import CrawlSettings
from tests.db.histories import snapshot, view_rows

NOW = datetime(2025, 12, 31, tzinfo=UTC)
_FILE_STEPS = frozenset({"tempfile.mkstemp", "os.chmod", "os.rename", "os.mkdir", "os.remove"})
_OF_THE_TIME = frozenset(
    {"event_id", "detected_at", "first_seen_at", "last_seen_at", "known_at", "known_from", "known_to"}
)

Hook = Callable[[], None]
Work = Callable[[Path, Hook], None]
Snapshot = dict[str, list[Any]]


class Instants:
    """Counts instants from now on, and kills the process at one of them (counted from 1; 0 for never)."""

    def __init__(self, fatal: int) -> None:
        self._fatal = fatal
        self._number = count(1)
        self.last = 0

    def tick(self, *_: object) -> None:
        self.last = next(self._number)
        if self.last == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def count_everything(instants: Instants) -> None:
    """Count the statements of every connection from now on, and the steps of writing files."""
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(instants.tick)
        return connection

    def step(event: str, _arguments: object) -> None:
        if event in _FILE_STEPS:
            instants.tick()

    sqlite3.connect = traced  # type: ignore[assignment]
    sys.addaudithook(step)


def backfill(folder: Path) -> Work:
    """What `watch287g backfill` does, with a hook after every commit."""

    def work(home: Path, hook: Hook) -> None:
        connection, archive = open_writable(home / "history.db"), Archive(home / "archive")
        hook()
        take_in(folder, connection, archive, NOW)
        hook()
        Historian(connection, archive, Rules(), hook=hook).derive()
        connection.close()

    return work


def one_check(page_url: str) -> Work:
    """What `watch287g check` does."""
    settings = CrawlSettings(
        page_url=page_url,
        allowed_hosts=("127.0.0.1",),
        user_agent="watch287g-tests (+https://example.org/contact)",
        delay_seconds=0.0,
        timeout_seconds=20.0,
        retries=0,
        backoff_base_seconds=0.0,
        hard_limit_seconds=60.0,
    )

    def work(home: Path, hook: Hook) -> None:
        connection, archive = open_writable(home / "history.db"), Archive(home / "archive")
        hook()
        check(connection, archive, settings, lambda: Historian(connection, archive, Rules(), hook=hook), hook=hook)
        connection.close()

    return work


def attempt(work: Work, home: Path, fatal: int, commits_only: bool = False) -> int | None:
    """Do the work in a fork of this process; the number of instants, or None if it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            instants = Instants(fatal)
            if not commits_only:
                count_everything(instants)
            work(home, instants.tick if commits_only else lambda: None)
            os.write(writing, str(instants.last).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status != 0:
        raise RuntimeError(f"the work in {home} ended with {status}")
    return int(said)


def result(home: Path, timeless: bool) -> Snapshot:
    """What a reader sees, in JSON's types; without the times of the sightings if they are those of the run."""
    connection = sqlite3.connect(home / "history.db")
    try:
        views: Snapshot = {}
        for view, found in snapshot(connection).items():
            names = [row[1] for row in connection.execute(f"pragma table_info({view})") if row[1] != "sequence"]
            kept = ", ".join(name for name in names if not timeless or name not in _OF_THE_TIME)
            views[view] = [list(row) for row in (view_rows(connection, view, kept) if timeless else found)]
        return views
    finally:
        connection.close()


def broken(home: Path) -> list[str]:
    """What is damaged in a history, whatever it says: the database, its references, the raw files under their names."""
    found = []
    if (home / "history.db").exists():
        connection = sqlite3.connect(home / "history.db")
        (state,) = connection.execute("pragma integrity_check").fetchone()
        found += [] if state == "ok" else [f"integrity: {state}"]
        found += [f"reference: {tuple(row)}" for row in connection.execute("pragma foreign_key_check")]
        known = connection.execute("select name from sqlite_master where name = 'workbook'").fetchone()
        hashes = [row[0] for row in connection.execute("select sha256 from workbook")] if known else []
        found += [why for _, why in Archive(home / "archive").verify(hashes) if why]
        connection.close()
    for path in (home / "archive").glob("*/*.xlsx"):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            found.append(f"{path.name} does not hold what its name says")
    return found


def differences(home: Path, expected: Snapshot, timeless: bool, when: str) -> list[str]:
    """The views that differ from those of an undisturbed run, and what is broken."""
    now = result(home, timeless)
    return [f"{when}: {view} differs" for view in expected if now[view] != expected[view]] + [
        f"{when}: {why}" for why in broken(home)
    ]


def at(share: int, total: int) -> int:
    """The instant at so many thousandths of all."""
    return 1 + share * (total - 1) // 1000


def each_from(
    base: Path | None, work: Work, scratch: Path, instants: Iterable[int], commits_only: bool
) -> dict[str, Any]:
    """Kill at each instant, each time from `base` (None: nothing), run again undisturbed, and compare."""
    timeless = base is not None

    def fresh(name: str) -> Path:
        home = scratch / name
        shutil.rmtree(home, ignore_errors=True)
        if base is None:
            home.mkdir(parents=True)
        else:
            shutil.copytree(base, home)
        return home

    work(fresh("warm"), lambda: None)
    undisturbed = fresh("undisturbed")
    total = attempt(work, undisturbed, 0, commits_only) or 0
    expected = result(undisturbed, timeless)
    kills, wrong = 0, list[str]()
    for instant in [at(share, total) for share in instants] or range(1, total + 1):
        home = fresh("killed")
        if attempt(work, home, instant, commits_only) is not None:
            continue
        kills += 1
        when = f"killed at {'commit' if commits_only else 'instant'} {instant} of {total}"
        wrong += [f"{when}: at once: {why}" for why in broken(home)]
        attempt(work, home, 0)
        wrong += differences(home, expected, timeless, when)
    return {"kills": kills, "instants": total, "wrong": wrong}


def in_a_row(work: Work, scratch: Path, instants: Iterable[int]) -> dict[str, Any]:
    """Kill one history at these instants in turn, then let it end, and compare."""
    warm, undisturbed, home = scratch / "warm", scratch / "undisturbed", scratch / "chain"
    for folder in (warm, undisturbed, home):
        folder.mkdir(parents=True)
    work(warm, lambda: None)
    total = attempt(work, undisturbed, 0) or 0
    kills = sum(attempt(work, home, at(share, total)) is None for share in instants)
    attempt(work, home, 0)
    expected = result(undisturbed, timeless=False)
    wrong = differences(home, expected, timeless=False, when=f"killed {kills} times in a row")
    return {"kills": kills, "instants": total, "wrong": wrong}


def main(arguments: list[str]) -> dict[str, Any]:
    """Carry out one mode; see the module."""
    mode, first, second, *rest = arguments
    home, shares = Path(first), [int(share) for share in rest[mode == "check" :]]
    if mode == "once":
        home.mkdir(parents=True)
        attempt(one_check(second), home, 0)
        return {}
    if mode == "check":
        home.mkdir(parents=True, exist_ok=True)
        return each_from(home, one_check(second), Path(rest[0]), shares, commits_only=not shares)
    if mode == "chain":
        return in_a_row(backfill(home), Path(second), shares)
    return each_from(None, backfill(home), Path(second), shares, commits_only=not shares)


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)
