"""A history over which checks go, and its subscribers: lists as ICE posts them, seen by checks, and what is to be told.

with Watched(tmp_path, subscribers(texas)) as watched:
    watched.see(Posted("participating", 0, rows("Lee")), Posted("participating", 1, rows()))
    assert watched.noted() == ["texas/folder told terminated Lee provisional"]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from db import outbox, read, write
from db.connect import transaction
from db.records import Sighting, Step
from pipeline.derive import Historian, Rules
from pipeline.notify.channels.attempt import Channel, NotSent
from pipeline.notify.composing import Addresses, compose, composed, schedules
from pipeline.notify.delivery import Delivering, Sent
from pipeline.notify.outbox import Outbox
from pipeline.notify.settings import AlertSettings, Delivery
from pipeline.reports.messages.content import Message
from tests.db.histories import History, Posted

PAGE = "https://www.ice.gov/doclib/"


def settings(*subscribers: dict[str, Any], **alerts: Any) -> AlertSettings:
    """Checked settings; a subscriber without channels has a folder, at once."""
    filled = [{"channels": [{"folder": "sent"}], **subscriber} for subscriber in subscribers]
    return AlertSettings.model_validate({"subscribers": filled, "alerts": alerts})


class Watched(History):
    """A history whose lists are seen by checks, at the time at which they are posted."""

    def __init__(self, folder: Path, subscribed: AlertSettings, rules: Rules | None = None) -> None:
        super().__init__(folder, rules)
        self.settings = subscribed
        self.now = datetime(2025, 3, 1, tzinfo=UTC)

    def historian(self, hook: Callable[[], None] = lambda: None) -> Historian:
        """One that notes what is to be told."""
        unread = [one.name for one in self.settings.mistaken if one.name]
        outbox = Outbox(self.settings.subscribers, lambda: self.now, unread)
        return Historian(self.connection, self.archive, self.rules, hook=hook, outbox=outbox)

    def see(self, *posted: Posted) -> list[Step]:
        """What checks do, one after another: each list comes with the address at which it was found."""
        steps: list[Step] = []
        for one in posted:
            self.now = max(self.now, one.seen_at)
            self.note_sighting(one)
            steps += self.historian().derive().steps
        return steps

    def note_sighting(self, one: Posted) -> None:
        """What a check records before it compares."""
        sha256 = self.archive.put(one.data)
        with transaction(self.connection):
            write.add_workbook(self.connection, sha256, len(one.data), one.seen_at)
            write.add_sighting(self.connection, Sighting(sha256, one.file_name, one.seen_at, f"{PAGE}{one.file_name}"))
        self.historian().describe()

    def noted(self) -> list[str]:
        """What is noted for whom, in order: target, occasion, event in short."""
        rows = self.connection.execute(
            "select n.target, s.occasion, s.content, n.dropped from notice n join saying s on s.id = n.saying_id"
            " order by n.id"
        )
        return [
            f"{target} {occasion} {_short(content)}{f' dropped: {dropped}' if dropped else ''}"
            for target, occasion, content, dropped in rows
        ]

    def compose(self, after: timedelta = timedelta()) -> list[Message]:
        """Put what is due into messages, some time later; returns those that are yet to be sent."""
        self.now += after
        with transaction(self.connection):
            compose(self.connection, schedules(self.settings), self.now)
        return [composed(self.connection, stored, Addresses()) for stored in outbox.waiting(self.connection)]

    def deliver(
        self,
        channels: dict[str, Channel],
        delivery: Delivery | None = None,
        after: timedelta = timedelta(),
    ) -> Sent:
        """Compose, and try what is due."""
        self.compose(after)
        used = delivery or Delivery(pause_seconds=0)
        return Delivering(self.connection, channels, used, Addresses(), lambda: self.now).run()

    def log(self) -> list[str]:
        """The messages in the order in which they were made: target, kind, state, attempts."""
        newest_first = outbox.log(self.connection, limit=-1)
        return [f"{one.target} {one.kind} {one.state} {one.attempts}" for one in newest_first][::-1]


def _short(content: str) -> str:
    event = json.loads(content).get("event")
    if event is None:
        return str(json.loads(content)["key"])
    status = "" if event["status"] == "confirmed" else f" {event['status']}"
    return f"{event['kind']} {event['agency'].removesuffix(chr(32) + 'County Sheriff' + chr(39) + 's Office')}{status}"


class Recorder:
    """A channel that takes messages, or ends each attempt as its script says (None: taken)."""

    def __init__(self, script: Iterable[NotSent | None] = (), lane: str = "recorder") -> None:
        self.lane = lane
        self.pause = 0.0
        self.taken: list[Message] = []
        self.tried: list[str] = []
        self._script = iter(script)

    def send(self, message: Message) -> str:
        self.tried.append(message.id)
        outcome = next(self._script, None)
        if outcome is not None:
            raise outcome
        self.taken.append(message)
        return "taken"

    def told(self) -> list[str]:
        """The events that arrived: occasion, kind and agency."""
        return [
            f"{told.occasion} {told.event.kind} {told.event.agency.split(' County')[0]} {told.event.status}"
            for message in self.taken
            for told in message.told
        ]


def sightings_waiting(watched: Watched) -> int:
    """How many sightings belong to no publication yet."""
    return len(read.sightings(watched.connection, unassigned_only=True))
