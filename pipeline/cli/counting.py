"""`stats`: how many agreements there are, by year, model, state."""

from datetime import date

import click

from db.records import ListName
from pipeline.cli.context import Context
from pipeline.cli.filters import day_option, emit, emit_lines, format_option, models_option, paint, states_option
from pipeline.cli.listing import filtered, standing_on
from pipeline.reports.counts import By


@click.command()
@click.option(
    "--by",
    "by",
    type=click.Choice([one.value for one in By]),
    multiple=True,
    help="Year and month are those of signing; repeatable. Else model, year and state.",
)
@day_option("--as-of", "on", text="Count the list as it stood on that date: YYYY-MM-DD, yesterday, 7d.")
@day_option("--as-known", "known", text="Only what this history knew at the end of that date (UTC).")
@states_option
@models_option
@format_option("text", "json", "csv", "markdown")
@click.pass_obj
def stats(
    context: Context,
    by: tuple[str, ...],
    on: date | None,
    known: date | None,
    states: tuple[str, ...],
    models: tuple[str, ...],
    form: str,
) -> None:
    """How many agreements are in force, by model, year signed, state.

    Counts what ICE's participating list says; by year and month, also all that were ever listed. Shares are those of
    the agreements counted.
    """
    from pipeline import queries
    from pipeline.reports import counts

    with context.reading() as connection:
        standing = filtered(standing_on(connection, ListName.PARTICIPATING, on, known), states, models)
        ever_signed = queries.ever_signed(connection, ListName.PARTICIPATING, on, states, models, known)
    wanted = [By(one) for one in by] or [By.MODEL, By.YEAR, By.STATE]
    counted = counts.count(standing, wanted, ever_signed)
    if form == "json":
        emit(counts.json(counted))
    elif form == "csv":
        emit(counts.csv(counted))
    elif form == "markdown":
        emit(counts.markdown(counted))
    else:
        emit_lines(counts.text(counted, paint))
