"""What watch.sh asks of the history in data/: `state.py prepare | fingerprint | due | outcome | compact`."""

import hashlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

DATABASE = Path("data/history.db")

_OF_EVERY_CHECK = {"check", "page", "link"}
"""Tables that each check writes, whether it finds anything or not; `check` is looked at by itself."""

_SEEN_AGAIN = {"last_seen_at"}
"""Columns that say no more than that a list still stands."""


def prepare() -> None:
    """Put what is due into messages, so that their ids are known before any of them is sent."""
    from pipeline.cli.context import Context, Failure
    from pipeline.notify.sending import prepare as put_together

    context = Context(None, None)
    try:
        settings = context.alerts_to_send
        if settings.wanted:
            with context.writing() as connection:
                put_together(connection, settings, context.config.status_stale_hours, datetime.now(UTC))
    except Failure as failure:
        sys.exit(f"watch287g: {failure}")


def fingerprint() -> str:
    """A hash of all that is worth keeping: it stays the same over a check that found nothing new."""
    if not DATABASE.exists():
        return "no history"
    digest = hashlib.sha256()
    with closing(sqlite3.connect(DATABASE)) as connection:
        for line in _lines(connection):
            digest.update(line.encode())
    return digest.hexdigest()


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    for (table,) in connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall():
        if table in _OF_EVERY_CHECK:
            continue
        columns = [row[1] for row in connection.execute("select * from pragma_table_info(?)", (table,))]
        kept = ", ".join(f'"{column}"' for column in columns if column not in _SEEN_AGAIN)
        for row in connection.execute(f'select {kept} from "{table}" order by 1, 2'):  # noqa: S608 - names of ours
            yield repr((table, row))
    checks = connection.execute('select outcome, fetched from "check" order by id')
    for kind, _ in groupby(_kind(outcome, fetched) for outcome, fetched in checks):
        yield repr(("check", kind))


def _kind(outcome: str, fetched: str) -> str:
    """Checks of one kind, one after another, are one piece of news: all is well, or the same thing fails."""
    return f"failed {fetched}" if outcome in ("failed", "failed-again") else "well"


def due() -> str:
    """How many messages would be tried now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with closing(sqlite3.connect(DATABASE)) as connection:
        (number,) = connection.execute(
            "select count(*) from message where state in ('due', 'sending')"
            " and (next_attempt_at is null or datetime(next_attempt_at) <= datetime(?))",
            (now,),
        ).fetchone()
    return str(number)


def outcome() -> str:
    """How the last check ended, and what it says."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        row = connection.execute('select outcome from "check" order by id desc limit 1').fetchone()
    return row[0] if row else "none"


def compact() -> None:
    """Write the database anew, as one file without gaps, which git keeps as a small difference."""
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as connection:
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")


if __name__ == "__main__":
    answer = {"prepare": prepare, "fingerprint": fingerprint, "due": due, "outcome": outcome, "compact": compact}[
        sys.argv[1]
    ]()
    if answer is not None:
        print(answer)
