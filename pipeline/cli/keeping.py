"""`archive verify` and `config check`: is what is kept, and what is set, as it should be?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context, Failure, progress, say

if TYPE_CHECKING:
    from pipeline.notify.settings import AlertSettings, Subscriber


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
    """Check config.yaml, what it takes from the environment, and corrections.yaml, and say what is in force."""
    from pipeline import __version__

    settings, paths, alerts = context.config, context.paths, context.alerts_with_secrets
    corrections = list(context.corrections)
    say(f"config:      {context.config_path or 'none, the defaults'}")
    say(f"page:        {settings.source.page}")
    say(f"user agent:  {settings.source.user_agent.format(version=__version__, contact=settings.source.contact)}")
    say(f"history:     {paths.database}")
    say(f"archive:     {paths.archive}")
    say(f"corrections: {len(corrections)} in {paths.corrections}" if corrections else "corrections: none")
    for mistake in _unusable(alerts):
        say(mistake, fg="yellow", err=True)
    for subscriber in alerts.subscribers:
        ways = ", ".join(f"{one.kind}{f' ({one.digest})' if one.digest else ''}" for one in subscriber.channels)
        say(f"subscriber:  {subscriber.name}, {', '.join(subscriber.states) or 'all states'}: {ways}")
    if alerts.subscribers and not alerts.alerts.operators.channels:
        say("alerts.operators has no channels: nobody hears when something needs a person", fg="yellow", err=True)
    if "no contact set" in settings.source.contact:
        say("source.contact is not set: ICE's server cannot tell whom to ask about these visits", fg="yellow", err=True)


def _unknown_counties(subscriber: "Subscriber") -> Iterator[str]:
    """The counties of a filter that no state of the filter has: they are heard of only if ICE misspells them so."""
    from pipeline.reading.places import county_base, is_county, states

    for county in subscriber.counties:
        if not any(is_county(state, county_base(county)) for state in subscriber.states or states()):
            where = ", ".join(subscriber.states) or "the country"
            yield f"there is no county {county} in {where}; is it misspelt?"


def _unusable(alerts: "AlertSettings") -> Iterator[str]:
    """The channels that nothing can be sent on: an address that no service has, a secret that cannot be one."""
    from pipeline.notify.channels.chat import validate
    from pipeline.notify.channels.webhook import signature

    every = [(one.name, one.channels) for one in alerts.subscribers] + [("operators", alerts.alerts.operators.channels)]
    for one in alerts.subscribers:
        yield from (f"{one.name}: {county}" for county in _unknown_counties(one))
    for name, channels in every:
        for channel in channels:
            target = f"{name}, {channel.name or channel.kind}"
            if channel.apprise and (mistake := validate(channel.apprise.get_secret_value())):
                yield f"{target}: {mistake}"
            if channel.secret:
                try:
                    signature(channel.secret.get_secret_value(), "", 0, b"")
                except ValueError:
                    yield f"{target}: the secret begins with whsec_, and what follows is no base64"
