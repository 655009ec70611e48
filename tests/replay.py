"""The archive, list by list, as checks would have seen it, with subscribers who get what they asked for.

`make replay` runs it over the whole archive: a subscriber for every state by mail (at once), webhook (at once) and chat
(a daily digest), and one to everything, corrections included, in a weekly digest; a mail server, a web server and a
chat target on localhost. What arrived is compared with the history: each event that a subscriber asked for once on each
channel, nothing else, and what was taken back taken back from exactly those who were told.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from db import outbox, write
from db.archive import Archive
from db.connect import open_writable, transaction
from db.outbox import State
from db.records import Sighting
from pipeline.derive import Historian, Rules
from pipeline.notify import sending
from pipeline.notify.composing import Addresses, composed
from pipeline.notify.outbox import Outbox
from pipeline.notify.settings import AlertSettings
from pipeline.reading.places import states
from pipeline.reports.messages.content import Message
from pipeline.settings_file import Filled
from tests.archive import ARCHIVE
from tests.pipeline.notify.sinks import MailSink, WebSink

PAGE = "https://www.ice.gov/doclib/"
EVENT = re.compile(r"\be-[0-9a-f]{12}\b")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Told = Counter[tuple[str, str, str]]
"""How often each (target, event, `told` or `retracted`) is to arrive, or has arrived."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the archive's manifest."""

    path: Path
    file_name: str
    seen_at: datetime


def manifest(until: datetime | None = None) -> list[Seen]:
    """The sightings of the archive in their order, all of them or those before a time."""
    with (ARCHIVE / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        found = [
            Seen(ARCHIVE / row["path"], row["file_name"], datetime.fromisoformat(row["seen_at"]).astimezone(UTC))
            for row in csv.DictReader(lines)
        ]
    return sorted((one for one in found if until is None or one.seen_at < until), key=lambda one: one.seen_at)


def subscribers(codes: Sequence[str], mail: MailSink, web: WebSink, **delivery: Any) -> AlertSettings:
    """A subscriber for each state on three channels, and one to everything, in a weekly digest."""
    by_state = [
        {
            "name": code,
            "states": [code],
            "channels": [
                {"email": f"{code.lower()}@example.org"},
                {"webhook": f"{web.url}/hook/{code}", "secret": Filled(SECRET)},
                {
                    "apprise": Filled(f"json://127.0.0.1:{web.port}/chat/{code}"),
                    "digest": "daily 08:00 America/Chicago",
                },
            ],
        }
        for code in codes
    ]
    everything = {
        "name": "everything",
        "corrections": "digest",
        "channels": [
            {"webhook": f"{web.url}/hook/everything", "secret": Filled(SECRET), "digest": "friday 12:00 Europe/Berlin"}
        ],
    }
    return AlertSettings.model_validate(
        {
            "subscribers": [*by_state, everything],
            "alerts": {
                "mail": {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "alerts@example.org"},
                "delivery": {"pause_seconds": 0, "timeout_seconds": 5, **delivery},
            },
        }
    )


class Replay:
    """A history in a folder over which the archive's sightings go, one after another, with what is due sent between."""

    def __init__(self, folder: Path, settings: AlertSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.connection = open_writable(folder / "history.db")
        self.connection.execute("pragma synchronous = off")
        self.archive = Archive(folder / "archive")
        self.now = datetime(2025, 1, 1, tzinfo=UTC)

    def see(self, seen: Seen) -> None:
        """What a check does with a list, up to the notes of what is to be told."""
        self.note(seen)
        self.derive()

    def note(self, seen: Seen) -> None:
        """What a check records before it compares."""
        self.now = max(self.now, seen.seen_at)
        data = seen.path.read_bytes()
        sha256 = self.archive.put(data)
        with transaction(self.connection):
            write.add_workbook(self.connection, sha256, len(data), seen.seen_at)
            sighting = Sighting(sha256, seen.file_name, seen.seen_at, f"{PAGE}{seen.file_name}")
            write.add_sighting(self.connection, sighting)

    def derive(self) -> None:
        """Compare, and note what is to be told."""
        subscribed = Outbox(self.settings.subscribers, clock=lambda: self.now)
        historian = Historian(self.connection, self.archive, Rules(), outbox=subscribed)
        historian.describe()
        historian.derive()

    def messages(self) -> list[Message]:
        """Every message that was sent."""
        sent = outbox.log(self.connection, [State.SENT], limit=-1)
        return [composed(self.connection, stored, Addresses()) for stored in sent]

    def send(self, after: timedelta = timedelta()) -> list[str]:
        """Send what is due, some time later; returns what went wrong."""
        self.now += after
        return sending.send(self.connection, self.settings, self.folder, 26.0, clock=lambda: self.now).problems

    def send_all(self, most: int = 200) -> None:
        """Go on until nothing is due, a week for the last digests included."""
        self.send(after=timedelta(days=8))
        for _ in range(most):
            if not outbox.waiting(self.connection):
                return
            self.send(after=timedelta(hours=1))
        raise AssertionError("something is still due")

    def expected(self) -> Told:
        """What the history says is to arrive: independent of how the outbox decides."""
        found: Told = Counter()
        for event_id, kind, status, state, changes in self.connection.execute(
            "select event_id, kind, status, state, changes from event_log"
        ):
            for subscriber in self.settings.subscribers:
                own = {state, *json.loads(changes or "{}").get("state", ())}
                if kind == "changed" and subscriber.corrections == "none":
                    continue
                if subscriber.states and own.isdisjoint(subscriber.states):
                    continue
                for channel in subscriber.channels:
                    for name in channel.targets:
                        target = f"{subscriber.name}/{name}"
                        found[target, event_id, "told"] = 1
                        if status == "retracted" and not self._told_once_as_taken_back(target, event_id):
                            found[target, event_id, "retracted"] = 1
        return found

    def returns(self) -> set[str]:
        """The events that tell of a return."""
        return {row[0] for row in self.connection.execute("select event_id from event_log where kind = 'reinstated'")}

    def _told_once_as_taken_back(self, target: str, event_id: str) -> bool:
        """Whether a digest came only after an event had been taken back: one message tells both."""
        rows = self.connection.execute(
            "select n.message_id from notice n join saying s on s.id = n.saying_id where n.target = ? and s.about = ?",
            (target, event_id),
        ).fetchall()
        return len(rows) == 2 and rows[0][0] is not None and rows[0][0] == rows[1][0]


def arrived(mail: MailSink, web: WebSink, returns: set[str]) -> tuple[Told, Counter[str]]:
    """What arrived, each message once, however often it came; and how many events a target was only told the number of.

    A mail whose list is cut has all of it attached; a chat message says how many more there are, and where. A
    correction may tell of a return, one of the events `returns`.
    """
    found: Told = Counter()
    cut: Counter[str] = Counter()
    for mailed in {one.key: one for one in mail.received}.values():
        name = mailed.recipients[0]
        target = f"{name.partition('@')[0].upper()}/email/{name}"
        attached = [
            part.get_content() for part in mailed.mail.iter_attachments() if part.get_content_subtype() == "json"
        ]
        text = attached[0].decode() if attached else mailed.mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        found.update(
            (target, ident, _occasion(mailed.mail["Subject"], ident, returns)) for ident in set(EVENT.findall(text))
        )
    for posted in {one.key: one for one in web.received if one.path.startswith("/hook/")}.values():
        name = posted.path.rpartition("/")[2]
        for event in json.loads(posted.body)["events"]:
            found[f"{name}/webhook", event["event_id"], event["occasion"]] += 1
    for posted in (one for one in web.received if one.path.startswith("/chat/")):
        note, target = json.loads(posted.body), f"{posted.path.rpartition('/')[2]}/apprise"
        text = f"{note['title']} {note['message']}"
        found.update((target, ident, _occasion(text, ident, returns)) for ident in set(EVENT.findall(text)))
        if more := re.search(r"and (\d+) more: ", text):
            cut[target] += int(more[1])
    return found, cut


def _occasion(subject: str, ident: str, returns: set[str]) -> str:
    return "retracted" if "287(g) correction" in subject and ident not in returns else "told"


def differences(expected: Told, found: Told, cut: Counter[str]) -> Iterator[str]:
    """What is missing, and what arrived that was not expected, or more than once."""
    missing: Counter[str] = Counter()
    for key in sorted(expected.keys() | found.keys()):
        if expected[key] != found[key]:
            missing[key[0]] += 1
            if key[0] not in cut:
                yield f"{' '.join(key)}: expected {expected[key]}, arrived {found[key]}"
    for target, number in cut.items():
        if missing[target] < number:  # an entry may be of two events
            yield f"{target}: {missing[target]} events are not shown, and the messages say {number}"


def main() -> int:
    """The whole archive; prints what arrived, and what is wrong."""
    if not ARCHIVE.is_dir():
        print("needs the archive of real workbooks, ../shared/archive")
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, MailSink() as mail, WebSink() as web:
        replay = Replay(Path(name), subscribers(sorted(states()), mail, web))
        sightings = manifest()
        for number, seen in enumerate(sightings, 1):
            replay.see(seen)
            replay.send()
            if number % 50 == 0:
                print(f"{number} of {len(sightings)} sightings, {len(mail.received)} mails", file=sys.stderr)
        replay.send_all()
        expected, (found, cut) = replay.expected(), arrived(mail, web, replay.returns())
        wrong = list(differences(expected, found, cut))
        size = _size(replay.connection)
        (events,) = replay.connection.execute("select count(*) from event_log where kind <> 'changed'").fetchone()
        (everything,) = replay.connection.execute("select count(*) from event_log").fetchone()
        replay.connection.close()
    for channel in ("email", "webhook", "apprise"):
        number = sum(
            count for (target, _, occasion), count in found.items() if f"/{channel}" in target and occasion == "told"
        )
        print(f"{channel:<8} {number:,} events arrived")
    back = sum(count for (_, _, occasion), count in found.items() if occasion == "retracted")
    print(f"{back:,} corrections arrived; the history has {everything:,} events, {events:,} of substance")
    print(f"{cut.total():,} events of long lists in chat were told by their number, with where to read them")
    print(f"{len(mail.received):,} mails, {len(web.received):,} posts; outbox {size:,} bytes")
    print(f"{len(wrong)} differences; {time.monotonic() - started:.0f} s")
    for line in wrong[:20]:
        print(f"  {line}")
    return 1 if wrong else 0


def _size(connection: sqlite3.Connection) -> int:
    """The bytes of the outbox's tables, as far as SQLite tells."""
    try:
        row = connection.execute(
            "select sum(pgsize) from dbstat where name in ('saying', 'message', 'notice', 'notice_open',"
            " 'notice_message', 'message_waiting', 'message_made')"
        ).fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(row[0] or 0)


if __name__ == "__main__":
    sys.exit(main())
