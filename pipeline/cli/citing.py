"""`cite`: was an agreement, or an agency, listed on a day, and which workbook shows it?"""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from db.records import ListName
from pipeline.cli.context import Code, Context, Failure, say
from pipeline.cli.filters import LIST, day_option, emit, emit_lines, format_option, paint, read_state, understood

if TYPE_CHECKING:
    import sqlite3

    from pipeline.citing import Candidate
    from pipeline.reports.cited import Citation

_AGREEMENT = re.compile(r"[ap]-[0-9a-z-]+")
_AGENCY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


@click.command()
@click.argument("agreement", metavar="[AGREEMENT]", required=False)
@day_option("--on", "on", text="The day: YYYY-MM-DD, today, yesterday, 7d.")
@click.option("--absent", metavar="NAME", help="An agency's name: show that no row of that day's list has it.")
@click.option("--state", callback=understood(read_state), help="Postal code or name of the agency's state.")
@click.option("--list", "list_name", type=LIST, help="Which list; else participating, or the one that it is on.")
@format_option("text", "bibtex", "json")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Also write the evidence into a new folder: workbooks, checksums, a note on how to verify them.",
)
@click.pass_obj
def cite(
    context: Context,
    agreement: str | None,
    on: date | None,
    absent: str | None,
    state: str | None,
    list_name: str | None,
    form: str,
    folder: Path | None,
) -> None:
    """Whether ICE listed an agreement on a day, and which workbook shows it.

    AGREEMENT is an id as `list` and `show` give it (a-..., p-... for an application), an agency's id, or an agency's
    name or part of it; if it means several, they are listed and the exit code is 1. A name that no list has ever had
    is shown to be absent, as with --absent.

    Names the workbook in force at the end of that day with its SHA-256, rows and printed cells, the lists before and
    after it, and the limits of what they say. Exit code 0 if listed or not listed can be said, else 1.
    """
    if (agreement is None) == (absent is None):
        raise Failure("give an agreement or agency, or --absent with a name; and --on with a day", Code.USAGE)
    if on is None:
        raise Failure("give the day with --on, for example --on 2025-06-01", Code.USAGE)
    if on > datetime.now(UTC).date():
        raise Failure(f"{on} is in the future; nobody can say yet what ICE lists then")
    wanted = ListName(list_name) if list_name else None
    with context.reading() as connection:
        citation = _cited(connection, agreement, absent, state, wanted, on)
    _tell(context, citation, form, folder)


def _tell(context: Context, citation: "Citation", form: str, folder: Path | None) -> None:
    from pipeline import __version__
    from pipeline.reports import citation as renderer

    if folder is not None:
        _write(context, citation, folder)
    if form == "json":
        emit(renderer.json(citation, __version__))
    elif form == "bibtex":
        emit(renderer.bibtex(citation, __version__))
    else:
        emit_lines(renderer.text(citation, paint))


def _write(context: Context, citation: "Citation", folder: Path) -> None:
    from db.archive import Archive, ArchiveError
    from pipeline import __version__
    from pipeline.publish import evidence

    try:
        evidence.write(folder, citation, Archive(context.paths.archive), __version__)
    except (ArchiveError, evidence.CannotWrite) as error:
        raise Failure(str(error)) from None
    click.echo(f"written: {folder}; begin with {folder / evidence.NOTE}", err=True)


def _cited(
    connection: "sqlite3.Connection",
    agreement: str | None,
    absent: str | None,
    state: str | None,
    list_name: ListName | None,
    on: date,
) -> "Citation":
    """The answer.

    Raises:
        Failure: the history begins later, or several agreements may be meant (they are listed).
    """
    from pipeline import citing
    from pipeline.reading.places import fold

    name = absent if absent is not None else agreement or ""
    if not fold(name):
        raise Failure("give the name of an agency or a part of it, or an id", Code.USAGE)
    try:
        if absent is None and (ident := _meant(connection, name, state, list_name)) is not None:
            return citing.cite_agreement(connection, ident, on)
        citation = citing.cite_absence(connection, name, state, list_name or ListName.PARTICIPATING, on)
    except citing.NothingKnown as nothing:
        which = f"{list_name} list" if list_name else "list"
        if nothing.begins is None:
            raise Failure(f"it cannot be said: the history has no such {which}; run `watch287g check`") from None
        raise Failure(
            f"it cannot be said: the history of that {which} begins on {nothing.begins}, after {on}"
        ) from None
    return _nobody(citation)


def _nobody(citation: "Citation") -> "Citation":
    """The citation, if no row of the list has the name.

    Raises:
        Failure: rows have it, or stand for an agency that had it on another day; they are listed.
    """
    from pipeline.reports.citation import brief

    if citation.shown.rows:
        for row in citation.shown.rows:
            say(brief(row))
        raise Failure(
            f"the list of that day ({citation.shown.published_on}) has rows that bear the name, or belong to an agency"
            " that bore it; cite one of them by its id"
        )
    return citation


def _meant(connection: "sqlite3.Connection", text: str, state: str | None, list_name: ListName | None) -> str | None:
    """The id of the agreement that is meant; None if no list ever named such an agency.

    Raises:
        Failure: several are meant (they are listed), or the id is unknown.
    """
    from pipeline import citing, queries

    ident = text.strip().lower()
    if _AGREEMENT.fullmatch(ident):
        if not citing.candidates(connection, [ident]):
            raise Failure(f"no agreement has the id {ident}; `watch287g list` and `watch287g show` give them")
        return ident
    ids = citing.of_agency(connection, ident) if _AGENCY.fullmatch(ident) else []
    if not ids:
        found = queries.find_agencies(connection, text, state)
        ids = [one.agreement_id for match in found for one in queries.agency(connection, match).timelines]
    known = citing.candidates(connection, ids)
    chosen = [one for one in known if one.list is (list_name or ListName.PARTICIPATING)]
    if not chosen and list_name is None:
        chosen = known
    if len(chosen) == 1:
        return chosen[0].agreement_id
    if chosen:
        _offer(chosen)
        raise Failure(f"{text!r} may mean {len(chosen)} agreements or applications; cite one by its id")
    return None


def _offer(candidates: "list[Candidate]") -> None:
    from pipeline.reports.escaping import printable
    from pipeline.reports.wording import agency

    for one in candidates:
        signed = f", signed {one.signed_on}" if one.signed_on else ""
        until = f"until {one.left_on}" if one.left_on else "to now"
        told = f"{agency(one.state, one.agency)}, {one.support_model or 'model unknown'}{signed}"
        say(printable(f"{one.agreement_id}  {told}; {one.list} from {one.first_listed_on} {until}"))
