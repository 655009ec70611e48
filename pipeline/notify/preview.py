"""What would be sent: the messages that wait, or what a subscriber would have had of a time past. Writes nothing."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from db import outbox
from db.outbox import Notice
from db.write import instant
from pipeline.notify import filters
from pipeline.notify.composing import Addresses, composed, message, schedules
from pipeline.notify.sending import addresses
from pipeline.notify.settings import AlertSettings, Subscriber
from pipeline.notify.telling import tell, told_json
from pipeline.queries import events
from pipeline.reports.messages.content import Message, MessageKind, Occasion, Told
from pipeline.reports.record import Selection


@dataclass(frozen=True, slots=True)
class Preview:
    """A message, the targets that it goes to, and when, in words."""

    targets: tuple[str, ...]
    due: str
    message: Message


def waiting(
    connection: sqlite3.Connection, settings: AlertSettings, now: datetime, subscriber: str | None = None
) -> list[Preview]:
    """What waits in the outbox: messages that are yet to be sent, and notices that wait for their digest."""
    where = addresses(settings)
    found = [
        Preview((stored.target,), f"due {_when(stored.next_attempt_at)}", composed(connection, stored, where))
        for stored in outbox.waiting(connection)
    ]
    for name, some in groupby(outbox.open_notices(connection), key=lambda notice: notice.target):
        digest = schedules(settings).get(name)
        due = f"digest, due {_when(digest.next(now))}" if digest else "due now"
        found.append(Preview((name,), due, _of_notices(list(some), bool(digest), now, where)))
    return _merged([one for one in found if subscriber in (None, one.message.subscriber)])


def _of_notices(notices: Sequence[Notice], digest: bool, now: datetime, where: Addresses) -> Message:
    if all(notice.occasion == outbox.RETRACTED for notice in notices):
        kind = MessageKind.CORRECTION
    elif notices[0].occasion in (outbox.BEGUN, outbox.OVER):
        kind = MessageKind.OPERATOR
    else:
        kind = MessageKind.DIGEST if digest else MessageKind.ALERT
    return message("m-preview", kind, notices[0].target, instant(now), notices, where)


def _merged(found: Sequence[Preview]) -> list[Preview]:
    """The same message to several targets of a subscriber, once."""
    merged: dict[tuple[object, ...], Preview] = {}
    for one in found:
        told = [(item.event.event_id, item.occasion) for item in one.message.told]
        affairs = [affair.key for affair in one.message.affairs]
        key = one.message.subscriber, one.message.kind, one.due, tuple(told), tuple(affairs)
        targets = merged[key].targets if key in merged else ()
        merged[key] = Preview((*targets, *one.targets), one.due, one.message)
    return list(merged.values())


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "now"


def since(
    connection: sqlite3.Connection,
    settings: AlertSettings,
    day: date,
    now: datetime,
    subscriber: str | None = None,
) -> list[Preview]:
    """One message for each subscriber, of everything published or told since a day that they asked for."""
    found = events(connection, Selection(since=day))
    told = {item.event.event_id: item for item in tell(connection, [event.event_id for event in found], Occasion.TOLD)}
    where = addresses(settings)
    return [
        Preview(tuple(_targets(one)), f"everything since {day}", _of_told(one.name, accepted, now, where))
        for one in settings.subscribers
        if subscriber in (None, one.name)
        and (accepted := [told[event.event_id] for event in found if filters.accepts(one, event)])
    ]


def _targets(subscriber: Subscriber) -> Iterator[str]:
    return (f"{subscriber.name}/{name}" for channel in subscriber.channels for name in channel.targets)


def _of_told(to: str, told: Sequence[Told], now: datetime, where: Addresses) -> Message:
    notices = [
        Notice(number, to, item.event.event_id, 1, outbox.TOLD, told_json(item), now, None)
        for number, item in enumerate(told)
    ]
    return message("m-preview", MessageKind.ALERT, to, instant(now), notices, where)


def sample(connection: sqlite3.Connection | None, to: Subscriber, now: datetime, ident: str) -> Message:
    """A test message for a subscriber: with the newest event of theirs, if the history has one."""
    newest: list[Told] = []
    if connection is not None:
        mine = [event for event in events(connection, Selection()) if filters.accepts(to, event)]
        newest = tell(connection, [event.event_id for event in mine[-1:]], Occasion.TOLD)
    return Message(ident, MessageKind.TEST, to.name, instant(now), tuple(newest))
