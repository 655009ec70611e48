"""What operators hear of: each state of affairs once, when it begins and, where that is news, when it is over.

A state is told when it first begins; one that has been told before, only once it has lasted for `quiet_hours`: what
comes and goes by itself needs nobody.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from db import outbox
from db.outbox import AffairRow
from db.write import instant
from pipeline.notify.affairs import ends_are_news
from pipeline.notify.affairs.lines import detail
from pipeline.notify.settings import Mistaken
from pipeline.notify.telling import affair_from, affair_json
from pipeline.reports.messages.content import Affair

_OURS = ("undelivered:", "environment:", "subscriber:")
"""What begins the keys of the states of affairs of sending itself; their ends are news."""


def review(
    connection: sqlite3.Connection,
    current: Iterable[Affair],
    targets: Sequence[str],
    now: datetime,
    quiet: timedelta,
) -> None:
    """Note what operators are to hear of, given how things stand now; within the caller's transaction."""
    known = outbox.affairs(connection)
    standing = {affair.key: affair for affair in current}
    for key, affair in standing.items():
        _goes_on(connection, affair, known.get(key), targets, now, quiet)
    for key, row in known.items():
        if key not in standing and not row.over:
            _is_over(connection, row, targets, now)


def _goes_on(
    connection: sqlite3.Connection,
    affair: Affair,
    row: AffairRow | None,
    targets: Sequence[str],
    now: datetime,
    quiet: timedelta,
) -> None:
    if row is None or row.over:
        row = AffairRow(affair.key, now, row.told_at if row else None, affair_json(affair), over=False)
    elif _was_told(row):
        return
    row = replace(row, begun_at=min(row.begun_at, now))  # a clock may have been ahead
    quiet = timedelta() if affair.key.startswith(_OURS) else quiet
    if row.told_at is None or not timedelta() <= now - max(row.told_at, row.begun_at) < quiet:
        saying = outbox.say(connection, _about(row), outbox.BEGUN, affair_json(affair), now)
        outbox.note(connection, saying, targets, now)
        row = replace(row, told_at=now)
    outbox.set_affair(connection, row)


def _is_over(connection: sqlite3.Connection, row: AffairRow, targets: Sequence[str], now: datetime) -> None:
    sort, _, target = row.key.partition(":")
    if sort == "undelivered" and not outbox.has_arrived(connection, target, row.begun_at):
        return  # it is tried again, which is not yet the end of it
    outbox.set_affair(connection, replace(row, over=True))
    if _was_told(row) and (row.key.startswith(_OURS) or ends_are_news(row.key)):
        begun = affair_from(row.saying)
        lasted = (f"It was so from {begun.since or instant(row.begun_at)} until {instant(now)} at the latest.",)
        over = replace(begun, details=lasted, commands=(), over=True)
        saying = outbox.say(connection, _about(row), outbox.OVER, affair_json(over), now)
        told = set(outbox.targets_told(connection, _about(row), (outbox.BEGUN,)))
        outbox.note(connection, saying, [name for name in targets if name in told], now)


def _was_told(row: AffairRow) -> bool:
    """Whether operators were told since it last began."""
    return row.told_at is not None and row.told_at >= row.begun_at


def _about(row: AffairRow) -> str:
    return f"{row.key} since {instant(row.begun_at)}"


def unset(names: Sequence[str]) -> list[Affair]:
    """The variables that channels need and the environment of whoever sends does not have."""
    return [
        Affair(
            key=f"environment:{name}",
            title=f"The environment lacks {name}: a channel cannot be used",
            details=("Its messages wait. Where cron or a service runs watch287g, set the variable there too.",),
            commands=("watch287g config check", "watch287g alerts send"),
        )
        for name in names
    ]


def mistaken(entries: Sequence[Mistaken]) -> list[Affair]:
    """The entries of `subscribers` that are wrong, each with its mistakes and with what becomes of its messages."""
    return [
        Affair(
            key=f"subscriber:{one.name or f'no. {one.number}'}",
            title=f"The entry of {one.label} in config.yaml is wrong: nothing is sent to it",
            details=(*(detail(sentence) for sentence in one.sentences), _NAMED if one.name else _NAMELESS),
            commands=("watch287g config check", "watch287g alerts send"),
        )
        for one in entries
    ]


_NAMED = "What is for it waits, and so does what is found meanwhile, until the entry is right. The others are told."
_NAMELESS = (
    "What was noted for it waits. Whose entry it is cannot be read, so what is found meanwhile is not noted for it, and"
    " not sent later: `watch287g alerts preview --since DAY --subscriber NAME` shows it once the entry is right. The"
    " others are told."
)


def undelivered(connection: sqlite3.Connection) -> list[Affair]:
    """The targets at which messages have finally failed, and nothing has arrived since."""
    return [
        Affair(
            key=f"undelivered:{stored.target}",
            title=f"Messages to {stored.target} cannot be delivered",
            details=(f"Given up after {stored.attempts} attempts: {stored.answer}",),
            commands=("watch287g alerts log --failed", f"watch287g alerts retry {stored.public_id}"),
            since=instant(stored.finished_at or stored.made_at),
        )
        for stored in outbox.failing_targets(connection)
    ]
