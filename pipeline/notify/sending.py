"""The step that sends: how things stand, what is due, the messages, the feeds."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from db import outbox
from db.connect import transaction
from pipeline.notify import affairs, operators
from pipeline.notify.channels.attempt import Channel
from pipeline.notify.composing import Addresses, compose, schedules
from pipeline.notify.composing import operators as operators_targets
from pipeline.notify.delivery import Delivering, Sent
from pipeline.notify.outbox import Outbox, target
from pipeline.notify.settings import OPERATORS, AlertSettings

if TYPE_CHECKING:
    from pipeline.notify.channels.mail_server import MailServer


_ROOM_BYTES = 5_000_000


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def send(
    connection: sqlite3.Connection,
    settings: AlertSettings,
    base: Path,
    stale_hours: float,
    page_url: str = "",
    clock: Callable[[], datetime] = now,
    hook: Callable[[], None] = lambda: None,
) -> Sent:
    """Send what is due, and write the feeds. Made for a connection of its own, by one process at a time.

    Args:
        base: the folder that relative paths of the settings are relative to.
        stale_hours: after how many hours without a check the operators hear that checks have stopped.
        page_url: the page that ICE publishes its lists on, to which messages link.
    """
    if not _has_room(connection):
        return Sent(problems=["there is no room on the disk to record what is sent"])
    prepare(connection, settings, stale_hours, clock())
    hook()
    where = addresses(settings, page_url)
    sent = _deliver(connection, settings, base, where, clock, hook) if outbox.waiting(connection) else Sent()
    if sent.failed and prepare(connection, settings, stale_hours, clock()):  # the operators hear of that at once
        sent.add(_deliver(connection, settings, base, where, clock, hook))
    if settings.alerts.feeds.folder is not None:
        from pipeline.notify.feeds import FeedsError, write_feeds

        try:
            write_feeds(connection, settings.alerts.feeds, base)
        except FeedsError as error:
            sent.problems.append(str(error))
    return sent


def _has_room(connection: sqlite3.Connection) -> bool:
    """Whether what is sent can be recorded; what cannot would be sent again and again."""
    file = connection.execute("pragma database_list").fetchone()[2]
    return not file or shutil.disk_usage(Path(file).parent).free >= _ROOM_BYTES


def _deliver(
    connection: sqlite3.Connection,
    settings: AlertSettings,
    base: Path,
    where: Addresses,
    clock: Callable[[], datetime],
    hook: Callable[[], None],
) -> Sent:
    from pipeline.notify.channels.mail_server import MailServer  # the channels are loaded only where something is due

    with MailServer(settings.alerts.mail, settings.alerts.delivery) as server:
        channels = every_channel(settings, base, server)
        complete = not settings.mistaken
        return Delivering(connection, channels, settings.alerts.delivery, where, clock, hook, complete=complete).run()


def prepare(connection: sqlite3.Connection, settings: AlertSettings, stale_hours: float, at: datetime) -> int:
    """Note what operators are to hear of, and put what is due into messages; returns how many messages."""
    told = operators_targets(settings)
    with transaction(connection):
        Outbox(settings.subscribers, lambda: at).catch_up(connection)
        if told:
            watch = settings.alerts.operators
            standing = affairs.current(connection, at, stale_hours, watch.no_new_list_days, watch.after_failures)
            standing += operators.undelivered(connection)
            standing += operators.unset(settings.unset)
            standing += operators.mistaken(settings.mistaken)
            operators.review(connection, standing, told, at, timedelta(hours=watch.quiet_hours))
        return compose(connection, schedules(settings), at, complete=not settings.mistaken)


def every_channel(settings: AlertSettings, base: Path, server: "MailServer") -> dict[str, Channel]:
    """The channels of all subscribers and of the operators, by target; `server` is shared by those that send mail."""
    from pipeline.notify.channels.making import channels

    every = [(subscriber.name, subscriber.channels) for subscriber in settings.subscribers]
    found: dict[str, Channel] = {}
    for name, some in (*every, (OPERATORS, settings.alerts.operators.channels)):
        for one in some:
            made = channels(name, one, settings.alerts, base, server)
            found |= {target(name, key): channel for key, channel in made.items()}
    return found


def addresses(settings: AlertSettings, page_url: str = "") -> Addresses:
    """What the messages point to."""
    return Addresses(settings.alerts.archive_url, settings.alerts.report_url, page_url)


def problems(sent: Sent) -> Iterable[str]:
    """What went wrong, each thing once, with how often."""
    found = dict.fromkeys(sent.problems)
    for line in found:
        number = sent.problems.count(line)
        yield f"{line} ({number} times)" if number > 1 else line
