"""`report`: the events of a time, for people and for programs."""

from datetime import date
from typing import TYPE_CHECKING

import click

from db.records import Kind, ListName, Status
from pipeline.cli.context import Context
from pipeline.cli.filters import (
    LIST,
    day_option,
    emit,
    emit_lines,
    format_option,
    models_option,
    paint,
    states_option,
)

if TYPE_CHECKING:
    from pipeline.reports.record import LoggedEvent, Reach, Selection


@click.command()
@day_option("--since", text="First date, published or told: YYYY-MM-DD, today, yesterday, 7d.")
@day_option("--until", text="Last date, published or told.")
@states_option
@models_option
@click.option("--kind", "kinds", type=click.Choice([kind.value for kind in Kind]), multiple=True, help="Repeatable.")
@click.option(
    "--status", "statuses", type=click.Choice([one.value for one in Status]), multiple=True, help="Repeatable."
)
@click.option("--list", "list_name", type=LIST, help="One of the two lists; else both.")
@click.option("--no-corrections", is_flag=True, help="Leave out what merely changed: spellings, dates, links.")
@format_option("text", "markdown", "html", "json", "csv")
@click.pass_obj
def report(
    context: Context,
    since: date | None,
    until: date | None,
    states: tuple[str, ...],
    models: tuple[str, ...],
    kinds: tuple[str, ...],
    statuses: tuple[str, ...],
    list_name: str | None,
    no_corrections: bool,
    form: str,
) -> None:
    """What changed on ICE's lists: new, terminated, renewed, corrected.

    An event is in the period, both ends included, if ICE published it then or if it was told then: a withdrawal is
    told weeks after the list that shows it. JSON and CSV have the columns of the public view event_log, and are the
    same bytes for the same history.
    """
    from pipeline import queries
    from pipeline.reports.record import Selection

    if since and until and since > until:
        raise click.UsageError(f"--since {since} is after --until {until}.")
    wanted = tuple(Kind(kind) for kind in kinds)
    if no_corrections:
        wanted = tuple(kind for kind in wanted or Kind if kind is not Kind.CHANGED)
        if not wanted:
            raise click.UsageError("--no-corrections leaves nothing of --kind changed.")
    which = ListName(list_name) if list_name else None
    selection = Selection(since, until, states, models, wanted, which, tuple(map(Status, statuses)))
    with context.reading() as connection:
        events = queries.events(connection, selection)
        reach = queries.reach(connection, selection)
    if form == "text":
        from pipeline.reports import text

        emit_lines(text.render(events, selection, paint, reach))
    else:
        emit(_document(form, events, selection, reach))


def _document(form: str, events: "list[LoggedEvent]", selection: "Selection", reach: "Reach") -> str:
    from pipeline.reports import data, markdown

    if form == "html":
        from pipeline.reports import page

        return page.render(events, selection, reach)
    if form == "markdown":
        return markdown.render(events, selection, reach)
    return data.events_json(events) if form == "json" else data.events_csv(events)
