"""`backfill` and `rebuild`: making the history from files."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure, progress, say, say_taken_back

if TYPE_CHECKING:
    from db.records import Step


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.pass_obj
def backfill(context: Context, folder: Path) -> None:
    """Take in a folder of workbooks that were kept elsewhere.

    With a manifest.csv (path, file_name, seen_at in UTC, optionally sha256) every line is a sighting; without one the
    files are dated by their names and their own properties. Workbooks older than those recorded make the history anew;
    agreements keep their ids. Interrupted, it goes on where it was when it is run again.
    """
    from db import read
    from db.archive import Archive, ArchiveError
    from pipeline import standing
    from pipeline.backfill import BackfillError, take_in
    from pipeline.derive import Historian
    from pipeline.reports.wording import plural

    archive, rules, outbox = Archive(context.paths.archive), context.rules, context.outbox
    with context.writing(create=True) as connection, progress("backfill") as drawn:
        if left := read.waiting(connection):
            say(f"{standing.waiting(left)} since a run was interrupted; that is done now too", err=True)
        try:
            taken = take_in(folder, connection, archive, datetime.now(UTC))
            # The raw files are synced already; what a power cut takes is derived again.
            connection.execute("pragma synchronous = normal")
            derived = Historian(connection, archive, rules, drawn, outbox=outbox).derive()
        except (BackfillError, ArchiveError) as error:
            raise Failure(str(error)) from None
        except KeyboardInterrupt:
            left = read.waiting(connection)
            told = f"{standing.waiting(left)}; run the command again" if left else "run the command again"
            raise Failure(f"interrupted; {told}", Code.INTERRUPTED) from None
    for sha256, reason in derived.unreadable:
        say(f"left out {sha256[:12]}: {reason}", fg="yellow", err=True)
    how = "; the history was made anew" if derived.anew else ""
    found = f"{plural(taken.files, 'file')} ({plural(taken.sightings, 'new sighting')})"
    say(f"{found}: {_counted(derived.steps)}{how}")
    say_taken_back(derived.taken_back)


@click.command()
@click.pass_obj
def rebuild(context: Context) -> None:
    """Make the history anew from the archive, the corrections and the operator's verdicts.

    The same input gives the same ids and events. Needed after an edit of corrections.yaml, and after an upgrade whose
    changelog says so.
    """
    from db.archive import Archive, ArchiveError
    from pipeline.derive import Historian

    rules, outbox = context.rules, context.outbox
    with context.writing() as connection, progress("rebuild") as drawn:
        try:
            historian = Historian(connection, Archive(context.paths.archive), rules, drawn, outbox=outbox)
            derived = historian.rebuild()
        except ArchiveError as error:
            raise Failure(f"{error}; the history stays as it was") from None
    say(f"made anew: {_counted(derived.steps)}")
    say_taken_back(derived.taken_back)
    for correction in rules.corrections.unused():
        say(f"this correction matches nothing any more: {correction.title}", fg="yellow", err=True)


def _counted(steps: "Iterable[Step]") -> str:
    """What became of the lists, each counted once: `383 lists accepted, 1 rejected; 3,387 events`."""
    from db.records import Verdict
    from pipeline.reports.wording import plural

    steps = list(steps)
    became = list({step.publication: step.verdict for step in steps}.values())
    counts = [(became.count(verdict), verdict.value) for verdict in Verdict if verdict in became]
    if not counts:
        return "no new list"
    (first, word), *others = counts
    lists = ", ".join([f"{plural(first, 'list')} {word}", *(f"{number:,} {other}" for number, other in others)])
    return f"{lists}; {plural(sum(len(step.events) for step in steps), 'event')}"
