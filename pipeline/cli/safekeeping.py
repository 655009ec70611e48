"""`backup`, `restore` and `self-check`: what is kept stays whole."""

import re
import shlex
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure, say

if TYPE_CHECKING:
    from pipeline.safekeeping.self_check import Part


WAIT_SECONDS = 10.0
"""How long `restore` waits for a check or a delivery to end."""


def backup_folder(context: Context) -> Path | None:
    """Where backups are; None if there are to be none. `--db` moves them beside the database it names."""
    folder = context.config.backups.folder
    if folder is None:
        return None
    return context.paths.database.parent / "backups" if context.database else context.folder / folder


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to (else `backups.folder`).")
@click.pass_obj
def backup(context: Context, folder: Path | None) -> None:
    """Copy the history, check the copy, and remove those older than `backups.keep_days` in config.yaml.

    A check or a delivery may go on beside it. The newest backup is never removed. The raw files (`storage.archive`)
    are not in it: they never change, so copy their folder with any tool.

    `watch287g restore FILE` puts a backup in place. By hand: stop the daemon; move history.db, history.db-wal and
    history.db-shm away; copy the backup to history.db; then `watch287g status`, and `watch287g check`.

    Exit codes: 0 done, 1 no backup was made.
    """
    from pipeline.safekeeping import backup as backups

    to = folder or backup_folder(context)
    if to is None:
        raise Failure(
            "there is no folder for backups: set `backups.folder` in config.yaml, or give --folder", Code.USAGE
        )
    try:
        made = backups.backup(context.paths.database, to, context.config.backups.keep_days, datetime.now(UTC))
    except backups.BackupError as error:
        raise Failure(explained(context, error) or str(error)) from None
    removed = f", {len(made.removed)} removed" if made.removed else ""
    say(f"{made.path}: {made.size / 1e6:,.1f} MB{removed}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--send", is_flag=True, help="Send what was still to be sent when the copy was made; else it is dropped.")
@click.pass_obj
def restore(context: Context, file: Path, send: bool) -> None:
    """Put a backup in the place of the history; what stood there is kept beside it.

    FILE is a backup, or any whole copy of a history. What was still to be sent when it was made has probably been sent
    since and is dropped, unless --send is given. What checks found since is found again by the next check, and told
    again under the same ids. Stop the daemon before.

    Exit codes: 0 done, 1 the history stays as it was.
    """
    from db.connect import HistoryError
    from pipeline.lock import Busy, only_sender, only_writer
    from pipeline.reports.wording import plural
    from pipeline.safekeeping import backup as backups

    database = context.paths.database
    try:
        with only_sender(database, WAIT_SECONDS), only_writer(database, WAIT_SECONDS):
            restored = backups.restore(database, file, datetime.now(UTC), send=send)
    except (Busy, HistoryError, backups.BackupError) as error:
        raise Failure(str(error)) from None
    say(f"{file} is the history now: {database}")
    if restored.aside:
        say(f"what stood there is {restored.aside}")
    if restored.dropped:
        say(f"{plural(restored.dropped, 'alert')} that it had yet to send will not be sent")
    say("See `watch287g status`; `watch287g check` finds what has changed since.")


def _part(_ctx: click.Context, _param: click.Parameter, value: str | None) -> "Part | None":
    from pipeline.safekeeping.self_check import Part

    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", value)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"{value} is no part, such as 3/28 or 1/1")
    return Part(int(found[1]), int(found[2]))


@click.command("self-check")
@click.option(
    "--part", metavar="N/M", callback=_part, help="Which raw files to read: 1/1 for all (else a 28th, by the day)."
)
@click.pass_obj
def self_check(context: Context, part: "Part | None") -> None:
    """Say whether what is kept is whole, and whether there is room: the database, raw files, backups, the last check.

    A line for each thing that is wrong. The result is kept in the history, so that the operators hear of it with the
    next delivery.

    Exit codes: 0 all is well, 1 something is wrong.
    """
    from db.connect import HistoryError
    from pipeline.reports.wording import plural
    from pipeline.safekeeping import self_check as checks

    now, settings, paths = datetime.now(UTC), context.config, context.paths
    kept = checks.Kept(
        paths.database,
        paths.archive,
        backup_folder(context),
        settings.watching.free_megabytes,
        settings.status_stale_hours,
    )
    part = part or checks.part_of_the_day(now)
    try:
        checked = checks.self_check(kept, part, now)
    except HistoryError as error:
        raise Failure(str(error)) from None
    for finding in checked.findings:
        say(f"{finding.code}: {finding.text}", fg="red")
    if any(one.code in ("database", "references") for one in checked.findings):
        say(_advice(context, checked.restore, kept.backups))
    try:
        checks.record(paths.database, checked, now)
    except (HistoryError, sqlite3.Error, OSError) as error:
        say(f"this could not be recorded: {error}", fg="yellow", err=True)
    if checked.findings:
        raise click.exceptions.Exit(Code.FAILED)
    say(f"all is well: the database is whole, {plural(checked.hashed, 'raw file')} of {checked.files:,} read again")


def _advice(context: Context, newest: Path | None, folder: Path | None) -> str:
    """Which backup is to be put in place, and the command for this very history."""
    if newest is None:
        return (
            f"there is no whole backup in {folder}" if folder else "there are no backups: `backups.folder` is not set"
        )
    command = ["watch287g"]
    command += ["--config", str(context.config_file)] if context.config_file else []
    command += ["--db", str(context.database)] if context.database else []
    command += ["restore", str(newest)]
    return f"the newest whole backup is {newest}; put it in place with `{shlex.join(command)}`"


def explained(context: Context, error: BaseException) -> str | None:
    """Of an error that comes from a damaged history: a sentence with the newest whole backup and how to restore it.

    None for any other error. Looks at what caused it too (`raise ... from`).
    """
    from db.connect import Damaged, is_damage
    from pipeline.safekeeping.backup import newest_whole

    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, Damaged) or is_damage(cause)):
        cause = cause.__cause__
    if cause is None:
        return None
    try:
        told = f"{context.paths.database}: {error}" if isinstance(error, sqlite3.Error) else str(error)
        folder = backup_folder(context)
        newest = newest_whole(folder, datetime.now(UTC))
    except (Failure, OSError):
        return str(error)
    if newest is None and not (folder and folder.is_dir()):
        return told
    return f"{told}; {_advice(context, newest, folder)}"
