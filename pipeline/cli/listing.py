"""`list` and `show`: what a list said on a day, and all that is known of one agency."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from db.records import ListName
from pipeline.cli.context import Context, Failure, say
from pipeline.cli.filters import (
    LIST,
    day_option,
    emit,
    emit_lines,
    format_option,
    models_option,
    paint,
    read_state,
    states_option,
    understood,
)
from pipeline.reading.gazetteer import Basis

if TYPE_CHECKING:
    import sqlite3

    from pipeline.reports.record import Listed, Standing


@click.command(name="list")
@day_option("--as-of", "on", text="The list as it stood on that date: YYYY-MM-DD, yesterday, 7d; else now.")
@day_option("--as-known", "known", text="Only what this history knew at the end of that date (UTC); else all of it.")
@states_option
@models_option
@click.option("--county", help="The beginning of a county's name, or its FIPS code (five digits).")
@click.option("--agency", help="Part of an agency's name.")
@click.option(
    "--county-code",
    "bases",
    type=click.Choice([basis.value for basis in Basis]),
    multiple=True,
    help="Those whose county code is known so, or is not known for that reason; repeatable.",
)
@click.option("--list", "list_name", type=LIST, default=ListName.PARTICIPATING.value, show_default=True)
@format_option("text", "csv", "json", "markdown")
@click.pass_obj
def list_(
    context: Context,
    on: date | None,
    known: date | None,
    states: tuple[str, ...],
    models: tuple[str, ...],
    county: str | None,
    agency: str | None,
    bases: tuple[str, ...],
    list_name: str,
    form: str,
) -> None:
    """The agreements on ICE's list, now or on a date.

    Each with the values that were in force then, and its row in ICE's workbook. Duplicate rows are left out.

    With --as-known, lists that this history learned of later (from a backfill, or because they were held) do not count;
    alone it also sets --as-of. Which rows are listed is what was known; ids and clean values are today's reading of
    those rows.
    """
    from pipeline.reports import data
    from pipeline.reports import standing as renderer

    with context.reading() as connection:
        whole = standing_on(connection, ListName(list_name), on, known)
    standing = filtered(whole, states, models, county, agency, bases)
    if form == "json":
        emit(data.standing_json(standing))
    elif form == "csv":
        emit(data.standing_csv(standing))
    elif form == "markdown":
        emit(renderer.markdown(standing))
    else:
        emit_lines("\n".join(renderer.text(standing)))


def standing_on(
    connection: "sqlite3.Connection",
    list_name: ListName,
    on: date | None,
    known: date | None = None,
    option: str = "--as-of",
) -> "Standing":
    """What a list said at the end of a day, or says now; of what this history knew at the end of another.

    `option` is what the day is asked for with.

    Raises:
        Failure: the history begins later, or has no such list at all; or a day has not come yet.
    """
    from pipeline import queries

    for day, named in ((on, option), (known, "--as-known")):
        if day is not None and day > datetime.now(UTC).date():
            raise Failure(f"{day} is in the future; leave out {named} for the list as it is now")

    if (standing := queries.standing(connection, list_name, on, known)) is not None:
        return standing
    if (first := queries.begins(connection, list_name)) is None:
        raise Failure(f"the history has no {list_name} list yet; {to_have_one(connection, list_name)}")
    if known is not None and (since := queries.first_known_at(connection, list_name)):
        if known.isoformat() < since[:10]:
            raise Failure(f"on {known} this history knew no {list_name} list yet; its first came on {since[:10]}")
        raise Failure(
            f"of what this history knew on {known}, no {list_name} list is as old as {on or known};"
            f" give a later {option}, or leave out --as-known"
        )
    raise Failure(f"the history of the {list_name} list begins on {first}; ask for that date or a later one")


def to_have_one(connection: "sqlite3.Connection", list_name: ListName) -> str:
    """What to do where a history has no accepted list of a kind."""
    from db import read
    from db.records import Verdict

    if read.latest_publication(connection, list_name, Verdict.HELD) is not None:
        return "one is held, and waits for a decision: see `watch287g held list`"
    return "run `watch287g check` or `watch287g backfill`"


def filtered(
    standing: "Standing",
    states: tuple[str, ...],
    models: tuple[str, ...],
    county: str | None = None,
    agency: str | None = None,
    bases: tuple[str, ...] = (),
) -> "Standing":
    """The part of a list that is of these states and models, and has these texts in the names."""
    from pipeline.reading.places import fold

    listed = tuple(
        item
        for item in standing.listed
        if (not states or item.terms.state in states)
        and (not models or item.terms.support_model in models)
        and (not county or _is_in(item, county))
        and (not agency or fold(agency) in fold(item.terms.agency))
        and (not bases or (item.county_basis or Basis.UNKNOWN) in bases)
    )
    return replace(standing, listed=listed)


def _is_in(item: "Listed", county: str) -> bool:
    """Whether an agreement is of a county: by code, or by the beginning of its name, as the Census or ICE has it."""
    from pipeline.reading.places import fold

    if county.isdecimal():
        return item.county_fips == county
    return any(fold(name or "").startswith(fold(county)) for name in (item.county_name, item.terms.county))


@click.command()
@click.argument("agency")
@click.option("--state", callback=understood(read_state), help="Postal code or name, where several states have one.")
@click.pass_obj
def show(context: Context, agency: str, state: str | None) -> None:
    """The whole record of one agency: its agreements on both lists, their terms over time, every event.

    AGENCY is its id, or its name or a part of it; case, accents and punctuation do not count, and an old spelling will
    do. The full name of an agency is enough, though others contain it. If several match, they are listed and the exit
    code is 1.
    """
    from pipeline import queries
    from pipeline.reading.places import fold
    from pipeline.reports import timeline
    from pipeline.reports.escaping import printable
    from pipeline.reports.wording import agency as in_words

    if not fold(agency):
        raise Failure("give the name of an agency or a part of it, for example: watch287g show Kerr")
    with context.reading() as connection:
        known = queries.agency_by_id(connection, agency)
        found = [known] if known else queries.find_agencies(connection, agency, state)
        if not found:
            likely = queries.agencies_like(connection, agency, state) or queries.agencies_like(connection, agency)
            meant = " or ".join(in_words(match.state, match.name) for match in likely)
            where = f" in {state}" if state else ""
            raise Failure(
                f"no agency{where} has {agency!r} in its name; "
                + (f"did you mean {meant}?" if likely else "try a shorter part of it")
            )
        if len(found) == 1:
            emit_lines(timeline.render(queries.agency(connection, found[0]), paint))
            return
    for match in found:
        once = printable(f", once listed as {match.once}") if match.once else ""
        say(in_words(match.state, match.name) + once)
    raise Failure(f"{len(found)} agencies match {agency!r}; give more of the name, or --state")
