"""What was found -> who hears of it, noted in the transaction in which it was found.

Only a change that was seen happening is told: its list was found by a check, and so was an earlier one of the same
list. So a first check, `backfill` and `rebuild` tell nobody of anything new. What they, or an operator's verdict, show
to be wrong is taken back from exactly those who were told.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from db import outbox
from db.records import Status, Step
from db.write import instant
from pipeline.notify import filters
from pipeline.notify.settings import Subscriber
from pipeline.notify.telling import taken_back, tell, told_from, told_json
from pipeline.reports.messages.content import Occasion, Told
from pipeline.reports.record import LoggedEvent

WITHDRAWN = "a review, or lists that were found later, have shown it to be wrong"

_WATCHED = """
select exists (select 1 from sighting s join workbook w on w.id = s.workbook_id
               where w.sha256 = :workbook and s.seen_at = :seen_at and s.url <> '')
   and exists (select 1 from sighting s join workbook w on w.id = s.workbook_id
               where w.list = :list and s.url <> '' and s.seen_at < :seen_at)
"""
"""Whether a check saw a publication, and an earlier check its list: only checks know an address."""

_STANDS = """
select e.public_id from event e join agreement a on a.id = e.agreement_id
where e.kind = :kind and e.list = :list and a.public_id = :agreement and e.status <> 'retracted'
  and abs(julianday(e.published_on) - julianday(:published_on)) <= 31
  and not exists (select 1 from saying s where s.about = e.public_id)
order by abs(julianday(e.published_on) - julianday(:published_on)) limit 1
"""
"""The same event under another id: found in another list of about that time, when older lists have turned up."""


def target(subscriber: str, name: str) -> str:
    """The name under which it is remembered what was sent to a subscriber on a channel."""
    return f"{subscriber}/{name}"


class Outbox:
    """Notes what is to be told to the subscribers. Called within the transaction of what was found.

    `unread` are the names of subscribers whose entries are wrong: all that is found is kept for them until `catch_up`.
    """

    def __init__(
        self,
        subscribers: Sequence[Subscriber] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        unread: Sequence[str] = (),
    ) -> None:
        self._subscribers = subscribers
        self._clock = clock
        self._unread = unread

    def note(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
        """Note the events and status changes of new publications."""
        for step in steps:
            if (self._subscribers or self._unread) and self._watched(connection, step):
                self._spread(connection, [event.id for event in step.events], self._subscribers, self._unread)
            if step.status_changes:
                self.take_back(connection)

    def _watched(self, connection: sqlite3.Connection, step: Step) -> bool:
        publication = step.publication
        asked = {
            "workbook": publication.workbook,
            "list": publication.list,
            "seen_at": instant(publication.seen_at),
        }
        return bool(connection.execute(_WATCHED, asked).fetchone()[0])

    def _spread(
        self,
        connection: sqlite3.Connection,
        ids: Sequence[str],
        subscribers: Sequence[Subscriber],
        unread: Sequence[str] = (),
    ) -> None:
        """Note events for those who asked for them; for those who wait until they are borne out, that they do."""
        now = self._clock()
        for told in tell(connection, ids, Occasion.TOLD):
            event = told.event
            if event.status is Status.RETRACTED:
                continue
            wanted = [one for one in subscribers if filters.accepts(one, event)]
            if wanted or unread:
                saying = outbox.say(connection, event.event_id, outbox.TOLD, told_json(told), now)
                patient = [one for one in wanted if filters.waits(one, event)]
                outbox.note(connection, saying, _targets(wanted, event, but=patient), now)
                outbox.note(connection, saying, _targets(patient, event), now, outbox.WAITS)
                outbox.note(connection, saying, unread, now, outbox.UNREAD)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Note for the subscribers what was found while their entries were wrong, as far as they ask for it."""
        found = outbox.unread(connection)
        for one in self._subscribers:
            if one.name in found:
                self._spread(connection, found[one.name], [one])
                outbox.forget_unread(connection, one.name)

    def take_back(self, connection: sqlite3.Connection, why: str | None = None) -> int:
        """Note, for exactly those who were told, what no longer stands, and why; returns the number of events.

        What stands again is told again to those from whom it was taken back, and what is borne out to those who waited.
        """
        number = self._take_back(connection, why or WITHDRAWN)
        for about in outbox.standing_again(connection):
            targets, patient = outbox.targets_of_last_turn(connection, about)
            self._say(connection, about, outbox.TOLD, targets, patient)
        for about, targets in outbox.borne_out(connection):
            self._say(connection, about, outbox.CONFIRMED, targets)
            outbox.no_longer_waits(connection, about)
        return number

    def _say(
        self,
        connection: sqlite3.Connection,
        about: str,
        occasion: str,
        targets: Sequence[str],
        patient: Sequence[str] = (),
    ) -> None:
        now = self._clock()
        for told in tell(connection, [about], Occasion.TOLD):
            saying = outbox.say(connection, about, occasion, told_json(told), now)
            outbox.note(connection, saying, targets, now)
            outbox.note(connection, saying, patient, now, outbox.WAITS)

    def _take_back(self, connection: sqlite3.Connection, why: str) -> int:
        now = self._clock()
        number = 0
        for about, content in outbox.no_longer_standing(connection):
            found = tell(connection, [about], Occasion.RETRACTED)
            if not found:
                kept = told_from(content)
                if other := _same_event(connection, kept):
                    outbox.rename(connection, about, other)
                    continue
                outbox.drop_open(connection, about, why)
                found = [taken_back(kept, why)]
            targets = outbox.targets_told(connection, about, (outbox.TOLD, outbox.CONFIRMED))
            saying = outbox.say(connection, about, outbox.RETRACTED, told_json(found[0]), now)
            outbox.note(connection, saying, targets, now)
            number += bool(targets)
        return number


def _targets(some: Sequence[Subscriber], event: LoggedEvent, but: Sequence[Subscriber] = ()) -> list[str]:
    return [
        target(subscriber.name, name)
        for subscriber in some
        if subscriber not in but
        for channel in filters.channels(subscriber, event)
        for name in channel.targets
    ]


def _same_event(connection: sqlite3.Connection, kept: Told) -> str | None:
    event = kept.event
    asked = {
        "kind": event.kind,
        "list": event.list,
        "agreement": event.agreement_id,
        "published_on": event.published_on,
    }
    row = connection.execute(_STANDS, asked).fetchone()
    return row[0] if row else None
