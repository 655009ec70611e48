"""`alerts`: what would be sent, a test, sending what is due, what was sent, and trying again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Code, Context, Failure, say, write_to
from pipeline.cli.filters import day_option, emit

if TYPE_CHECKING:
    import sqlite3

    from db.outbox import Stored
    from pipeline.notify.delivery import Sent
    from pipeline.notify.preview import Preview
    from pipeline.notify.settings import AlertSettings, Subscriber
    from pipeline.reports.messages.content import Message


@click.group()
def alerts() -> None:
    """Messages to those who asked for them in config.yaml."""


@alerts.command()
@day_option("--since", text="Everything published or told since then (else: what waits to be sent).")
@click.option("--subscriber", metavar="NAME", help="Only this one's messages.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Write them there, as text, HTML and JSON."
)
@click.pass_obj
def preview(context: Context, since: date | None, subscriber: str | None, folder: Path | None) -> None:
    """Show what would be sent; nothing is, and nothing is noted."""
    from pipeline.notify import preview as previews

    settings = context.alerts
    if subscriber is not None and subscriber != "operators":
        _named(settings, subscriber)
    now = datetime.now(UTC)
    with context.reading() as connection:
        found = (
            previews.waiting(connection, settings, now, subscriber)
            if since is None
            else previews.since(connection, settings, since, now, subscriber)
        )
    if not found:
        say("nothing waits to be sent" if since is None else f"nothing since {since} that anybody asked for")
    for number, one in enumerate(found, 1):
        if folder is None:
            _show(one, settings.alerts.delivery.most_events, first=number == 1)
        else:
            _write(folder, number, one.message, settings.alerts.delivery.most_events)
    if folder is not None and found:
        say(f"{len(found)} messages in {folder}")


def _show(one: "Preview", most: int, *, first: bool) -> None:
    from pipeline.reports.messages import text, wording

    if not first:
        say("\n" + "=" * 78)
    say(f"To: {', '.join(one.targets)} ({one.due})", dim=True)
    say(f"Subject: {wording.subject(one.message)}", bold=True)
    say()
    emit(text.render(one.message, most))


def _write(folder: Path, number: int, message: "Message", most: int) -> None:
    from pipeline.reports.messages import data, html, text

    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{number:03}-{message.subscriber.replace(' ', '-')}"
    for suffix, content in (
        ("txt", text.render(message, most)),
        ("html", html.render(message, most)),
        ("json", data.document(message)),
    ):
        (folder / f"{stem}.{suffix}").write_text(content, encoding="utf-8")


@alerts.command()
@click.argument("subscriber")
@click.pass_obj
def test(context: Context, subscriber: str) -> None:
    """Send one test message, marked as such, to each of a subscriber's channels (or to the `operators`).

    Exit codes: 0 every channel took it, 1 one did not.
    """
    from pipeline.notify.channels.attempt import NotSent
    from pipeline.notify.channels.making import channels

    settings = context.alerts_to_send
    now = datetime.now(UTC)
    to, message = _test_message(context, settings, subscriber, now)
    failed = 0
    for one in to:
        for name, channel in channels(subscriber, one, settings.alerts, context.folder).items():
            try:
                say(f"{subscriber}/{name}: sent: {channel.send(message)}", fg="green")
            except NotSent as error:
                failed += 1
                say(f"{subscriber}/{name}: not sent: {error}", fg="red", err=True)
    if failed:
        raise Failure(f"{failed} of the channels did not take the test message")


def _test_message(
    context: Context, settings: "AlertSettings", subscriber: str, now: datetime
) -> "tuple[tuple[Any, ...], Message]":
    from secrets import token_hex

    from db.write import instant
    from pipeline.notify.preview import sample
    from pipeline.notify.settings import OPERATORS
    from pipeline.reports.messages.content import Message, MessageKind

    ident = f"m-{token_hex(8)}"
    if subscriber == OPERATORS:
        return settings.alerts.operators.channels, Message(ident, MessageKind.TEST, OPERATORS, instant(now))
    to = _named(settings, subscriber)
    if not context.paths.database.exists():
        return to.channels, sample(None, to, now, ident)
    with context.reading() as connection:
        return to.channels, sample(connection, to, now, ident)


def _named(settings: "AlertSettings", name: str) -> "Subscriber":
    for one in settings.subscribers:
        if one.name == name:
            return one
    for wrong in settings.mistaken:
        if wrong.name == name:
            raise Failure("\n".join(wrong.sentences), Code.USAGE)
    known = ", ".join(one.name for one in settings.subscribers) or "none yet"
    raise Failure(f"there is no subscriber {name!r} in config.yaml; there are: {known}")


@alerts.command()
@click.pass_obj
def send(context: Context) -> None:
    """Send what is due: alerts, digests whose time has come, what is to be tried again. `check` does this by itself.

    Where only entries of `subscribers` are wrong, those wait, and the others are told.
    Exit codes: 0 done, 1 something could not be sent (it is tried again, or has finally failed: see `alerts log`), 2 a
    mistake in config.yaml.
    """
    settings = context.alerts_to_send
    if not settings.wanted:
        say("nobody is to be told: config.yaml has no subscribers")
        return
    sent = send_due(context, settings)
    say(told(sent))
    if settings.mistaken:
        raise Failure(settings.mistake, Code.USAGE)
    if sent.failed:
        raise Failure("some messages have finally failed: `watch287g alerts log --failed`, `alerts retry --all`")
    if sent.problems:
        raise Failure("not everything could be sent; it is tried again, see `watch287g alerts log`")


def send_due(context: Context, settings: "AlertSettings") -> "Sent":
    """Send what is due, beside whoever writes to the history.

    Raises:
        Failure: another process is sending, or the history cannot be opened.
    """
    from pipeline.notify import sending

    with _sending(context) as connection:
        stale_hours, page = _from_config(context)
        sent = sending.send(connection, settings, context.folder, stale_hours, page)
    for problem in sending.problems(sent):
        say(f"not sent: {problem}", fg="yellow", err=True)
    return sent


def _from_config(context: Context) -> tuple[float, str]:
    """What the rest of the config says; a mistake there keeps nobody from hearing of it."""
    from pipeline.config import Config

    try:
        config = context.config
    except Failure:
        config = Config()
    return config.status_stale_hours, config.source.page


@contextmanager
def _sending(context: Context) -> "Iterator[sqlite3.Connection]":
    """The history for one sender; a check may write to it meanwhile, for which each commit waits."""
    from db.connect import HistoryError, close_writable, examine, is_current, open_writable, refuse_missing
    from pipeline.lock import Busy, only_sender

    database = context.database_at_least() or context.paths.database
    try:
        refuse_missing(database)
        examine(database)
        with only_sender(database):
            if not is_current(database):
                with write_to(database):
                    pass
            connection = open_writable(database)
            try:
                connection.execute("pragma busy_timeout = 600000")
                yield connection
            finally:
                close_writable(connection)
    except (HistoryError, Busy) as error:
        raise Failure(str(error)) from error


def told(sent: "Sent") -> str:
    """What a run of sending did: `3 messages sent, 1 put off`."""
    from pipeline.reports.wording import plural

    others = ((sent.put_off, "put off"), (sent.failed, "finally failed"))
    words = [f"{plural(sent.sent, 'message')} sent", *(f"{number:,} {what}" for number, what in others if number)]
    return ", ".join(words)


@alerts.command()
@click.option("--failed", is_flag=True, help="Only those that have finally failed.")
@click.option("--waiting", is_flag=True, help="Only those that are yet to be sent.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines for people.")
@click.pass_obj
def log(context: Context, failed: bool, waiting: bool, limit: int, as_json: bool) -> None:
    """The messages, the newest first: to whom, how often tried, and what the other side said."""
    from db import outbox
    from db.outbox import State
    from db.write import instant

    states = [*([State.FAILED] if failed else []), *([State.DUE, State.SENDING] if waiting else [])]
    with context.reading() as connection:
        found = list(outbox.log(connection, states, limit))
        numbers = outbox.numbers(connection)
    if as_json:
        emit(json.dumps({"messages": [_plain(one) for one in found], **numbers}, indent=2))
        return
    for one in found:
        when = one.finished_at or one.next_attempt_at
        state = "due" if one.state == State.SENDING else one.state.value
        tried = f"{one.attempts} {'attempt' if one.attempts == 1 else 'attempts'}"
        say(f"{one.public_id}  {instant(one.made_at)}  {one.kind:<10}  {one.target}")
        say(f"    {state}{f' {instant(when)}' if when else ''}, {tried}{f': {one.answer}' if one.answer else ''}")
    waits = f"{numbers['open']:,} notices wait for a digest"
    say(f"{waits}, {numbers['due']:,} messages are due, {numbers['failed']:,} have finally failed")


def _plain(one: "Stored") -> dict[str, Any]:
    """A message for programs: its public id, and times as texts."""
    from db.write import instant

    values = {key: instant(value) if isinstance(value, datetime) else value for key, value in asdict(one).items()}
    return {key: value for key, value in values.items() if key not in ("id", "replies_to")}


@alerts.command()
@click.argument("message", required=False)
@click.option("--all", "every", is_flag=True, help="All that have finally failed.")
@click.pass_obj
def retry(context: Context, message: str | None, every: bool) -> None:
    """Try a message that has finally failed again, as if it were new, at the next `alerts send`.

    MESSAGE is its id, as `alerts log --failed` shows it, or the beginning of it.
    """
    from db import outbox
    from db.connect import transaction
    from db.outbox import State

    if (message is None) is not every:
        raise click.UsageError("give the id of a message, or --all")
    with _sending(context) as connection:
        failed = list(outbox.log(connection, [State.FAILED], limit=-1))
        chosen = [one for one in failed if every or one.public_id.startswith(message or "")]
        if not chosen:
            raise Failure("no message has finally failed" if every else f"no message {message} has finally failed")
        now = datetime.now(UTC)
        with transaction(connection):
            for one in chosen:
                outbox.retry(connection, one.id, now)
    say(f"{len(chosen)} to be tried again; `watch287g alerts send` does it now")
