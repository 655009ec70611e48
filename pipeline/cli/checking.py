"""`check` and `status`: one visit of ICE's page, and how things stand."""

import json
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from db.write import instant
from pipeline.cli.context import Code, Context, Failure, progress, say, write_to

if TYPE_CHECKING:
    from pipeline.derive import Historian

_COLOURS = {"changed": "green", "first": "green", "held": "yellow", "failed": "red", "failed-again": "red"}


@click.command()
@click.option(
    "--send/--no-send", default=True, help="Send what is due to the subscribers, or leave it to `alerts send`."
)
@click.option("--trigger", type=click.Choice(["manual", "schedule"]), default="manual", hidden=True)
@click.pass_obj
def check(context: Context, send: bool, trigger: str) -> None:
    """Visit ICE's page once, record what changed, and send what is due to those who asked for it.

    The first check of an empty history records the lists as they are (outcome `first`) and tells of no event.
    A mistake in config.yaml or corrections.yaml is found before ICE is asked for anything, and recorded as `failed`;
    but one in an entry of `subscribers` only lets that subscriber wait: the check is made, and the others are told.
    Exit codes: 0 unchanged (also first, recovered), 3 changed, 4 held, 1 failed, 2 a mistake in those files.
    """
    from db.archive import Archive
    from db.records import Outcome, Trigger
    from pipeline import run

    try:
        waits = context.validate()
    except Failure as mistake:
        _record(context, str(mistake))
        with suppress(Failure):
            _send(context, send)
        raise
    archive = Archive(context.paths.archive)
    with context.writing(create=True) as connection:

        def historian() -> "Historian":
            from pipeline.derive import Historian

            return Historian(connection, archive, context.rules, outbox=context.outbox)

        settings = run.crawl_settings(context.config.source, context.paths.log)
        with progress("asking for ICE's page"):
            checked = run.check(connection, archive, settings, historian, Trigger(trigger))
        _tell(connection, [event.id for step in checked.steps for event in step.events])
    word = click.style(checked.outcome.value, fg=_COLOURS.get(checked.outcome.value), bold=True)
    say(f"{word}: {checked.message}")
    if checked.outcome is Outcome.HELD:
        say("See `watch287g held list`; decide with `watch287g held release` or `watch287g held reject`.")
    _send(context, send)
    if waits:
        raise Failure(waits, Code.USAGE)
    if checked.outcome is Outcome.HELD:
        raise click.exceptions.Exit(Code.HELD)
    if checked.outcome is Outcome.CHANGED:
        raise click.exceptions.Exit(Code.CHANGED)
    if checked.outcome in (Outcome.FAILED, Outcome.FAILED_AGAIN):
        raise click.exceptions.Exit(Code.FAILED)


def _send(context: Context, wanted: bool) -> None:
    """Send what is due; what goes wrong is said, and leaves the check as it was."""
    if not wanted or not context.alerts_wanted:
        return
    from pipeline.cli.alerting import send_due, told

    try:
        sent = send_due(context, context.alerts_to_send)
    except (Failure, sqlite3.Error, OSError) as failure:
        say(f"alerts: {failure}", fg="yellow", err=True)
        return
    if sent.sent or sent.problems:
        say(f"alerts: {told(sent)}")
    if context.alerts_to_send.mistaken and not context.alerts_to_note.mistaken:  # a secret that is none, say
        say(f"alerts: {context.alerts_to_send.mistake}", fg="yellow", err=True)


def _record(context: Context, mistake: str) -> None:
    """Note a check that was not made, where there is a history that can be written; else the sentence must do."""
    from pipeline import run

    database = context.database_at_least()
    if database is not None:
        with suppress(Failure, sqlite3.Error, OSError), write_to(database) as connection:
            run.not_made(connection, "; ".join(mistake.splitlines()))


def _tell(connection: sqlite3.Connection, events: list[str]) -> None:
    """Print new events as `report` does."""
    if not events:
        return
    from pipeline import queries
    from pipeline.cli.filters import emit, paint
    from pipeline.reports import text
    from pipeline.reports.record import Selection

    emit(text.render(queries.events_by_id(connection, events), Selection(), paint))
    say()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines for people.")
@click.pass_obj
def status(context: Context, as_json: bool) -> None:
    """Say how things stand: the last check, each list, what is held, what waits for review.

    Exit codes: 0 all is well, 4 a publication is held, 1 the last check failed, or there was none for a day
    (`status_stale_hours` in config.yaml), or a mistake in config.yaml keeps alerts from being sent.
    """
    from pipeline import standing

    with context.reading() as connection:
        stand = standing.read_standing(connection, datetime.now(UTC), context.config.status_stale_hours)
        stand |= _corrections(context, stand.pop("made_with"))
        stand |= _alerts_mistake(context)
        stand |= _machine(context)
    if as_json:
        say(json.dumps(stand, indent=2))
    else:
        for line in standing.lines(stand):
            say(line)
    if stand["held"]:
        raise click.exceptions.Exit(Code.HELD)
    last = stand["last_check"]
    if last is None or stand["stale"] or last["outcome"].startswith("failed") or stand["alerts_mistake"]:
        raise click.exceptions.Exit(Code.FAILED)


def _machine(context: Context) -> dict[str, Any]:
    """The version, the daemon if one runs, and the room on the disk."""
    import shutil

    from pipeline import __version__
    from pipeline.daemon import state

    database = context.paths.database
    found = state.read(state.beside(database))
    daemon = None
    if found is not None and state.is_running(database, found):
        daemon = {
            "pid": found.pid,
            "version": found.version,
            "started_at": instant(found.started_at),
            "next": {name: instant(moment) for name, moment in sorted(found.next.items())},
            "backing_off_until": instant(found.backing_off_until) if found.backing_off_until else None,
            "config_error": found.config_error,
        }
    free = shutil.disk_usage(database.parent).free
    return {"version": __version__, "daemon": daemon, "disk_free_bytes": free}


def _alerts_mistake(context: Context) -> dict[str, str | list[str] | None]:
    """Why nothing can be sent to anybody, or to the subscribers that are named, if so."""
    try:
        alerts = context.alerts_to_note if context.alerts_wanted else None
    except Failure as failure:
        return {"alerts_mistake": str(failure), "alerts_mistaken": []}
    wrong = [one.label for one in alerts.mistaken] if alerts else []
    return {"alerts_mistake": alerts.mistake if alerts and wrong else None, "alerts_mistaken": wrong}


def _corrections(context: Context, made_with: str | None) -> dict[str, bool | str | None]:
    """Whether corrections.yaml has changed since the history was made, and what is wrong with it."""
    from pipeline.config import has_corrections
    from pipeline.standing import WITHOUT_CORRECTIONS

    mistake = None
    now: str | None = WITHOUT_CORRECTIONS
    if has_corrections(context.paths.corrections):
        from pipeline.derive import fingerprint

        try:
            now = fingerprint(context.corrections)
        except Failure as failure:
            now, mistake = None, str(failure)
    return {"corrections_changed": made_with is not None and now != made_with, "corrections_mistake": mistake}
