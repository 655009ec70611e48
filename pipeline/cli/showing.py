"""`demo`: the program at work on made-up days, without ICE."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline.cli.context import Context, Failure, say
from pipeline.cli.filters import paint


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep the history and the workbooks there, to ask them questions.",
)
@click.pass_obj
def demo(context: Context, keep: Path | None) -> None:
    """Watch the program at work on a made-up site, in half a minute.

    Serves lists in the shapes of ICE's on this machine, visits them day by day into a history of their own, and tells
    what it made of each day: new agreements, corrections, a termination, and accidents. Contacts nobody else.
    Exit codes: 0 every day ended as it should, 1 one did not.
    """
    if context.database is not None:
        raise click.UsageError("demo makes a history of its own; name a folder for it with --keep")
    if keep is None:
        with TemporaryDirectory(prefix="watch287g-demo-") as folder:
            _tell(Path(folder))
        say("  The history was temporary. To ask it questions, keep it: watch287g demo --keep FOLDER")
        return
    _tell(_empty(keep))
    command = f"watch287g --db {keep / 'history.db'}"
    say(f"  The history is kept. Ask it, for example:\n\n    {command} report\n    {command} show Kerr")
    say(f"\n  The alerts are in {keep / 'alerts'}, as a subscriber would have had them.")


def _empty(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror or error}; name another folder with --keep") from None
    if occupied:
        raise Failure(f"{folder} is not empty; name another folder with --keep")
    return folder


def _tell(folder: Path) -> None:
    from pipeline.demo import days, story
    from pipeline.demo.play import play

    say(story.OPENING)
    played = []
    for one in play(folder, days.DAYS):
        played.append(one)
        say("\n" + "\n".join(story.day(one, paint)))
    say("\n" + "\n".join(story.closing(played, paint)))
    if wrong := sum(not one.as_expected for one in played):
        raise Failure(f"{wrong} of {len(played)} days ended otherwise than the demonstration expects")
