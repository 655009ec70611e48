"""The step that sends: how things stand, what is due, the messages, the feeds."""

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
from pipeline.notify.outbox import target
from pipeline.notify.settings import OPERATORS, AlertSettings

if TYPE_CHECKING:
    from pipeline.notify.channels.mail_server import MailServer


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def send(
    connection: sqlite3.Connection,
    settings: AlertSettings,
    base: Path,
    stale_hours: float,
    clock: Callable[[], datetime] = now,
    hook: Callable[[], None] = lambda: None,
) -> Sent:
    """Send what is due, and write the feeds. Made for a connection of its own, by one process at a time.

    Args:
        base: the folder that relative paths of the settings are relative to.
        stale_hours: after how many hours without a check the operators hear that checks have stopped.
    """
    prepare(connection, settings, stale_hours, clock())
    hook()
    sent = _deliver(connection, settings, base, clock, hook) if outbox.waiting(connection) else Sent()
    if settings.alerts.feeds.folder is not None:
        from pipeline.notify.feeds import FeedsError, write_feeds

        try:
            write_feeds(connection, settings.alerts.feeds, base)
        except FeedsError as error:
            sent.problems.append(str(error))
    return sent


def _deliver(
    connection: sqlite3.Connection,
    settings: AlertSettings,
    base: Path,
    clock: Callable[[], datetime],
    hook: Callable[[], None],
) -> Sent:
    from pipeline.notify.channels.mail_server import MailServer  # the channels are loaded only where something is due

    with MailServer(settings.alerts.mail, settings.alerts.delivery) as server:
        channels = every_channel(settings, base, server)
        return Delivering(connection, channels, settings.alerts.delivery, addresses(settings), clock, hook).run()


def prepare(connection: sqlite3.Connection, settings: AlertSettings, stale_hours: float, at: datetime) -> int:
    """Note what operators are to hear of, and put what is due into messages; returns how many messages."""
    told = operators_targets(settings)
    with transaction(connection):
        if told:
            watch = settings.alerts.operators
            standing = affairs.current(connection, at, stale_hours, watch.no_new_list_days)
            standing += operators.undelivered(connection)
            operators.review(connection, standing, told, at, timedelta(hours=watch.quiet_hours))
        return compose(connection, schedules(settings), at)


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


def addresses(settings: AlertSettings) -> Addresses:
    """What the messages point to."""
    return Addresses(settings.alerts.archive_url, settings.alerts.report_url)


def problems(sent: Sent) -> Iterable[str]:
    """What went wrong, each thing once, with how often."""
    found = dict.fromkeys(sent.problems)
    for line in found:
        number = sent.problems.count(line)
        yield f"{line} ({number} times)" if number > 1 else line
