"""Open notices -> messages: what goes out together, when, and as an answer to which message.

What is at once goes out together as it was found; a digest holds what was noted before its last moment. What is taken
back goes out at once, on digest channels too, as an answer to the message that told it; where that has not been put
together yet, the event is told once, as taken back.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from db import outbox
from db.outbox import Draft, Notice, State, Stored
from db.write import instant
from pipeline.notify.outbox import target
from pipeline.notify.schedule import Digest
from pipeline.notify.settings import OPERATORS, AlertSettings
from pipeline.notify.telling import affair_from, told_from
from pipeline.reports.messages.content import Message, MessageKind, Told

GONE = "the subscriber or channel is no longer in config.yaml"

_AFFAIRS = (outbox.BEGUN, outbox.OVER)
_NOT_TOLD = (State.FAILED, State.DROPPED)


def schedules(settings: AlertSettings) -> dict[str, Digest | None]:
    """Every target -> the schedule of its digest, None for what is at once."""
    found = {
        target(subscriber.name, name): channel.digest
        for subscriber in settings.subscribers
        for channel in subscriber.channels
        for name in channel.targets
    }
    return found | dict.fromkeys(operators(settings))


def operators(settings: AlertSettings) -> list[str]:
    """The targets at which operators hear of what needs them."""
    return [target(OPERATORS, name) for channel in settings.alerts.operators.channels for name in channel.targets]


def compose(connection: sqlite3.Connection, targets: Mapping[str, Digest | None], now: datetime) -> int:
    """Put the notices that are due into messages, within the caller's transaction; returns how many messages."""
    number = 0
    for name, some in groupby(outbox.open_notices(connection), key=lambda notice: notice.target):
        notices = list(some)
        if name not in targets:
            outbox.drop(connection, (notice.id for notice in notices), GONE)
            continue
        for draft in _drafts(connection, notices, targets[name], now):
            outbox.add_message(connection, draft, now)
            number += 1
    return number


def _drafts(
    connection: sqlite3.Connection, notices: Sequence[Notice], digest: Digest | None, now: datetime
) -> Iterator[Draft]:
    answers, fresh = _answers(connection, notices)
    for told_in, some in answers.items():
        if outbox.message(connection, told_in).state in _NOT_TOLD:
            outbox.drop(connection, (notice.id for notice in some), outbox.NEVER_TOLD)
        else:
            kind = MessageKind.OPERATOR if some[0].occasion == outbox.OVER else MessageKind.CORRECTION
            yield _draft(kind, some, told_in)
    affairs = [notice for notice in fresh if notice.occasion in _AFFAIRS]
    for notice in affairs:
        yield _draft(MessageKind.OPERATOR, [notice])
    due = {n.about for n in fresh if n not in affairs and (digest is None or n.noted_at < digest.last(now))}
    if together := [notice for notice in fresh if notice.about in due]:
        yield _draft(MessageKind.ALERT if digest is None else MessageKind.DIGEST, together)


def _answers(connection: sqlite3.Connection, notices: Iterable[Notice]) -> tuple[dict[int, list[Notice]], list[Notice]]:
    """The notices that answer a message, by its internal id, and those that do not."""
    answers: dict[int, list[Notice]] = {}
    fresh = []
    for notice in notices:
        told_in = None
        if notice.occasion in (outbox.RETRACTED, outbox.OVER):
            told_in = outbox.message_that_told(connection, notice.about, notice.target)
        if told_in is None:
            fresh.append(notice)
        else:
            answers.setdefault(told_in, []).append(notice)
    return answers, fresh


def _draft(kind: MessageKind, notices: Sequence[Notice], replies_to: int | None = None) -> Draft:
    """A message whose id is made of what it tells to whom, so that it is the same in a history restored from a copy."""
    told = "|".join(f"{notice.about} {notice.occasion}" for notice in notices)
    digest = hashlib.sha256(f"{notices[0].target}|{told}".encode()).hexdigest()
    return Draft(f"m-{digest[:16]}", notices[0].target, kind, tuple(notice.id for notice in notices), replies_to)


@dataclass(frozen=True, slots=True)
class Addresses:
    """What messages point to: the public address of the archive, and of the full reports."""

    archive_url: str | None = None
    report_url: str | None = None


def composed(connection: sqlite3.Connection, stored: Stored, addresses: Addresses) -> Message:
    """A message with all it tells, the same each time it is tried."""
    notices = outbox.notices_of(connection, stored.id)
    answered = outbox.message(connection, stored.replies_to).public_id if stored.replies_to else None
    return message(
        stored.public_id, MessageKind(stored.kind), stored.target, instant(stored.made_at), notices, addresses, answered
    )


def message(
    ident: str,
    kind: MessageKind,
    to: str,
    made_at: str,
    notices: Sequence[Notice],
    addresses: Addresses,
    replies_to: str | None = None,
) -> Message:
    """A message of some notices."""
    told = list(_told(notices, addresses))
    affairs = tuple(affair_from(notice.content) for notice in notices if notice.occasion in _AFFAIRS)
    report = addresses.report_url or _report(told)
    return Message(ident, kind, to.partition("/")[0], made_at, tuple(told), affairs, replies_to, report)


def _told(notices: Sequence[Notice], addresses: Addresses) -> Iterator[Told]:
    """Each event once, as it was last told. What was taken back before it was told is told, as taken back."""
    latest: dict[str, Told] = {}
    for notice in notices:
        if notice.occasion not in _AFFAIRS:
            told = told_from(notice.content, addresses.archive_url)
            before = latest.get(notice.about)
            latest[notice.about] = replace(told, occasion=before.occasion) if before else told
    yield from latest.values()


def _report(told: Sequence[Told]) -> str:
    """The command that gives everything a message tells, and perhaps more."""
    days = [one.event.published_on for one in told]
    return f"watch287g report --since {min(days)} --until {max(days)}" if days else ""
