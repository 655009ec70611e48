"""Open notices -> messages: what goes out together, when, and as an answer to which message.

What is at once goes out together as it was found; a digest holds what was noted before its last moment, as it stands
then. What is taken back goes out at once, on digest channels too, as an answer to the message that told it, together
with the return that takes it back; where that message has not been put together yet, the event is told once.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from db import outbox
from db.outbox import Draft, Notice, Stored
from db.records import Kind, Status
from db.write import instant
from pipeline.notify.outbox import target
from pipeline.notify.schedule import Digest
from pipeline.notify.settings import OPERATORS, AlertSettings
from pipeline.notify.telling import affair_from, tell, told_from, told_json
from pipeline.reports.messages.content import Message, MessageKind, Occasion, Told

KEPT_FOR = timedelta(days=7)
"""How long what is to be told waits for a subscriber or channel that has gone from config.yaml, or got another name."""

_AFFAIRS = (outbox.BEGUN, outbox.OVER)


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


def compose(
    connection: sqlite3.Connection, targets: Mapping[str, Digest | None], now: datetime, *, complete: bool = True
) -> int:
    """Put the notices that are due into messages, within the caller's transaction; returns how many messages.

    Where `targets` are not `complete`, since an entry of `subscribers` is wrong, what is for others goes on waiting.
    """
    number = 0
    if complete:
        outbox.drop_unread(connection, now - KEPT_FOR)
    for name, some in groupby(outbox.open_notices(connection), key=lambda notice: notice.target):
        notices = list(some)
        if name not in targets:
            gone = [notice.id for notice in notices if complete and now - notice.noted_at > KEPT_FOR]
            outbox.drop(connection, gone, outbox.GONE)
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
        kind = MessageKind.OPERATOR if some[0].occasion == outbox.OVER else MessageKind.CORRECTION
        yield _draft(kind, some, told_in)
    affairs = [notice for notice in fresh if notice.occasion in _AFFAIRS]
    for notice in affairs:
        yield _draft(MessageKind.OPERATOR, [notice])
    due = {n.about for n in fresh if n not in affairs and (digest is None or _before(n, digest.last(now), now))}
    if together := [notice for notice in fresh if notice.about in due]:
        together += _borne_out(connection, together, now)
        yield _draft(MessageKind.ALERT if digest is None else MessageKind.DIGEST, together)


def _before(notice: Notice, moment: datetime, now: datetime) -> bool:
    """Whether it was noted before a moment; one that a clock which was ahead has noted, counts as noted long ago."""
    return notice.noted_at < moment or notice.noted_at > now


def _answers(connection: sqlite3.Connection, notices: Sequence[Notice]) -> tuple[dict[int, list[Notice]], list[Notice]]:
    """The notices that answer a message, by its internal id, and those that do not; what answers nothing is dropped.

    A return goes with what it takes back.
    """
    answers: dict[int, list[Notice]] = {}
    fresh: list[Notice] = []
    taken_back: dict[str, int] = {}
    for notice in notices:
        told_in = None
        if notice.occasion in (outbox.RETRACTED, outbox.OVER):
            told_in = outbox.message_that_told(connection, notice.about, notice.turn, notice.target)
        if told_in is None:
            fresh.append(notice)
        elif outbox.never_told(outbox.message(connection, told_in)):
            outbox.drop(connection, [notice.id], outbox.NEVER_TOLD)
        else:
            answers.setdefault(told_in, []).append(notice)
            taken_back[_agreement(notice)] = told_in
    left: list[Notice] = []
    for notice in fresh:
        told_in = taken_back.get(_agreement(notice)) if _kind(notice) == Kind.REINSTATED else None
        (left if told_in is None else answers[told_in]).append(notice)
    return answers, left


def _kind(notice: Notice) -> str | None:
    return _event(notice).get("kind")


def _agreement(notice: Notice) -> str:
    return _event(notice).get("agreement_id") or ""


def _event(notice: Notice) -> dict[str, str | None]:
    event: dict[str, str | None] = json.loads(notice.content).get("event", {})
    return event


def _borne_out(connection: sqlite3.Connection, notices: Sequence[Notice], now: datetime) -> list[Notice]:
    """For what was provisional when it was noted and has been borne out since: notices that say so, for this target."""
    waiting = [n.about for n in notices if n.occasion == outbox.TOLD and _event(n).get("status") == Status.PROVISIONAL]
    found = []
    for told in tell(connection, waiting, Occasion.TOLD) if waiting else ():
        if told.event.status is Status.CONFIRMED:
            saying = outbox.say(connection, told.event.event_id, outbox.CONFIRMED, told_json(told), now)
            outbox.note(connection, saying, [notices[0].target], now)
            found.append(told.event.event_id)
    return [
        notice
        for notice in (outbox.open_notices(connection) if found else ())
        if notice.target == notices[0].target and notice.occasion == outbox.CONFIRMED and notice.about in found
    ]


def _draft(kind: MessageKind, notices: Sequence[Notice], replies_to: int | None = None) -> Draft:
    """A message whose id is made of what it tells to whom."""
    told = "|".join(f"{notice.about} {notice.turn} {notice.occasion}" for notice in notices)
    digest = hashlib.sha256(f"{notices[0].target}|{told}".encode()).hexdigest()
    return Draft(f"m-{digest[:16]}", notices[0].target, kind, tuple(notice.id for notice in notices), replies_to)


@dataclass(frozen=True, slots=True)
class Addresses:
    """What messages point to: the public address of the archive, and of the full reports, and ICE's page."""

    archive_url: str | None = None
    report_url: str | None = None
    page_url: str = ""


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
    subscriber = to.partition("/")[0]
    return Message(ident, kind, subscriber, made_at, tuple(told), affairs, replies_to, report, addresses.page_url)


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
    if not told:
        return ""
    days, places = [one.event.published_on for one in told], {one.event.state for one in told}
    state = f" --state {told[0].event.state}" if len(places) == 1 and told[0].event.state else ""
    return f"watch287g report --since {min(days)} --until {max(days)}{state}"
