"""`backfill` and `rebuild`: making the history from files."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pipeline.cli.context import Context, Failure, progress, say


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.pass_obj
def backfill(context: Context, folder: Path) -> None:
    """Take in a folder of workbooks that were kept elsewhere.

    With a manifest.csv (path, file_name, seen_at in UTC, optionally sha256) every line is a sighting; without one the
    files are dated by their names and their own properties. Workbooks older than those recorded make the history anew;
    agreements keep their ids. Nothing is alerted.
    """
    from db.archive import Archive, ArchiveError
    from pipeline.backfill import BackfillError, take_in
    from pipeline.derive import Historian

    archive = Archive(context.paths.archive)
    with context.writing() as connection, progress("backfill") as drawn:
        try:
            taken = take_in(folder, connection, archive, datetime.now(UTC))
            # The raw files are synced already; what a power cut takes is derived again.
            connection.execute("pragma synchronous = normal")
            derived = Historian(connection, archive, context.rules, drawn).derive()
        except (BackfillError, ArchiveError) as error:
            raise Failure(str(error)) from None
    for sha256, reason in derived.unreadable:
        say(f"left out {sha256[:12]}: {reason}", fg="yellow", err=True)
    events = sum(len(step.events) for step in derived.steps)
    how = "the history was made anew" if derived.anew else "the history was continued"
    say(f"{taken.files} files, {taken.sightings} new sightings; {how}: {len(derived.steps)} decisions, {events} events")


@click.command()
@click.pass_obj
def rebuild(context: Context) -> None:
    """Make the history anew from the archive, the corrections and the operator's verdicts.

    The same input gives the same ids and events; nothing is alerted. Needed after an edit of corrections.yaml, and
    after an upgrade whose changelog says so.
    """
    from db.archive import Archive, ArchiveError
    from pipeline.derive import Historian

    with context.writing() as connection, progress("rebuild") as drawn:
        try:
            derived = Historian(connection, Archive(context.paths.archive), context.rules, drawn).rebuild()
        except ArchiveError as error:
            raise Failure(f"{error}; the history stays as it was") from None
    events = sum(len(step.events) for step in derived.steps)
    say(f"made anew: {len(derived.steps)} decisions, {events} events")
    for correction in context.rules.corrections.unused():
        say(f"this correction matches nothing any more: {correction.title}", fg="yellow", err=True)
