"""The demonstration: the real check, once for each made-up day, against a site on localhost."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from db import outbox
from db.archive import Archive
from db.connect import open_writable
from db.records import ListName
from pipeline import config, queries, run
from pipeline.demo.days import Day, Told
from pipeline.demo.publisher import PAGE, Posted, Publisher
from pipeline.demo.server import Site
from pipeline.derive import Historian, Rules
from pipeline.notify import sending
from pipeline.notify.composing import Addresses, composed
from pipeline.notify.outbox import Outbox
from pipeline.notify.settings import AlertSettings, Subscriber
from pipeline.reports.messages import wording
from pipeline.reports.record import LoggedEvent, Selection

HISTORY = "history.db"
ALERTS = "alerts"

_READERS = (Subscriber.model_validate({"name": "everybody", "channels": [{"folder": ALERTS}]}),)
_NEVER_STALE = 1e9


@dataclass(frozen=True, slots=True)
class Played:
    """A day, how its check ended, the events that are new in the record or whose status has changed.

    `subjects` are those of the messages that a subscriber to everything got.

    `naive_ends` is how many rows of the file called participating are gone since that of the day before: what a
    comparison by file name and row would report as ended.
    """

    day: Day
    checked: run.Checked
    new: tuple[LoggedEvent, ...]
    revised: tuple[LoggedEvent, ...]
    naive_ends: int
    subjects: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[Told, ...]:
        """What the record says after the day, in the terms in which it is expected."""
        events = (*self.new, *self.revised)
        return tuple(sorted(Told(e.agency, e.kind, e.status, tuple(e.change_classes.values())) for e in events))

    @property
    def as_expected(self) -> bool:
        """Whether the program made of the day what it should."""
        return self.checked.outcome is self.day.outcome and self.told == tuple(sorted(self.day.told))


def play(folder: Path, days: Iterable[Day]) -> Iterator[Played]:
    """Play days, with the history, the archive and the crawl's log in `folder`; yields each as it ends."""
    with Site() as site, _no_proxy(), closing(open_writable(folder / HISTORY)) as connection:
        source = config.Source(
            page=site.url + PAGE,
            allowed_hosts=("127.0.0.1",),
            contact="a demonstration that talks to itself",
            delay_seconds=0,
            retries=0,
        )
        paths = config.paths(config.Config(source=source), None, folder / HISTORY)
        settings = run.crawl_settings(source, paths.log)
        archive, publisher, naive = Archive(paths.archive), Publisher(site), _Naive()
        before: Mapping[str, LoggedEvent] = {}
        for day in days:
            day.act(publisher, day.on)
            checked = run.check(
                connection, archive, settings, lambda: Historian(connection, archive, Rules(), outbox=Outbox(_READERS))
            )
            now = _events(connection)
            new = [event for ident, event in now.items() if ident not in before]
            revised = [e for ident, e in now.items() if ident in before and e.status is not before[ident].status]
            subjects = _send(connection, folder, source.page)
            yield Played(day, checked, tuple(new), tuple(revised), naive.ends(publisher.linked), subjects)
            before = now


def _send(connection: sqlite3.Connection, folder: Path, page: str) -> tuple[str, ...]:
    """Send what is due into the folder of the only subscriber; returns the subjects."""
    sent = {stored.id for stored in outbox.log(connection, limit=-1)}
    sending.send(connection, AlertSettings(subscribers=_READERS), folder, _NEVER_STALE, page)
    new = [stored for stored in outbox.log(connection, limit=-1) if stored.id not in sent]
    return tuple(wording.subject(composed(connection, stored, Addresses())) for stored in reversed(new))


class _Naive:
    """Remembers the rows under the participating list's name, and knows nothing else."""

    def __init__(self) -> None:
        self._rows: set[tuple[object, ...]] = set()

    def ends(self, linked: Iterable[Posted]) -> int:
        """How many of the remembered rows are not in the file that has the name now."""
        named = [one for one in linked if one.label is ListName.PARTICIPATING]
        if not named:
            return 0
        before, self._rows = self._rows, {(r.state, r.agency, r.model, r.signed) for r in named[0].rows}
        return len(before - self._rows)


def _events(connection: sqlite3.Connection) -> Mapping[str, LoggedEvent]:
    return {event.event_id: event for event in queries.events(connection, Selection())}


@contextmanager
def _no_proxy() -> Iterator[None]:
    """Have the crawl ask this machine directly, whatever proxy the environment names."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "127.0.0.1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
