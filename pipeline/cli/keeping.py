"""`archive verify` and `config check`: is what is kept, and what is set, as it should be?"""

import click

from pipeline.cli.context import Context, Failure, progress, say


@click.group()
def archive() -> None:
    """The raw files."""


@archive.command()
@click.pass_obj
def verify(context: Context) -> None:
    """Hash every raw file again.

    Exit codes: 0 all are there and whole, 1 one is missing or damaged. Files that no workbook of the history accounts
    for are named, and left alone.
    """
    from db import read
    from db.archive import Archive

    store = Archive(context.paths.archive)
    with context.reading() as connection:
        expected = read.workbooks(connection)
    wrong = []
    with progress("verify") as drawn:
        for done, (_, problem) in enumerate(store.verify(expected), 1):
            drawn(done, len(expected))
            if problem:
                wrong.append(problem)
    for stray in store.strays(set(expected)):
        say(f"not in the history: {stray}", fg="yellow", err=True)
    for problem in wrong:
        say(problem, fg="red", err=True)
    if wrong:
        raise Failure(f"{len(wrong)} of {len(expected)} files are missing or damaged")
    say(f"{len(expected)} files, all whole")


@click.group()
def config() -> None:
    """The configuration."""


@config.command("check")
@click.pass_obj
def check_config(context: Context) -> None:
    """Check config.yaml and corrections.yaml and say what is in force."""
    from pipeline import __version__

    settings, paths = context.config, context.paths
    corrections = list(context.corrections)
    say(f"config:      {context.config_path or 'none, the defaults'}")
    say(f"page:        {settings.source.page}")
    say(f"user agent:  {settings.source.user_agent.format(version=__version__, contact=settings.source.contact)}")
    say(f"history:     {paths.database}")
    say(f"archive:     {paths.archive}")
    say(f"corrections: {len(corrections)} in {paths.corrections}" if corrections else "corrections: none")
    if "no contact set" in settings.source.contact:
        say("source.contact is not set: ICE's server cannot tell whom to ask about these visits", fg="yellow", err=True)
