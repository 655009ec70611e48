"""`cite`: was an agreement, or an agency, listed on a day, and which workbook shows it?"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from db.records import ListName
from pipeline.cli.context import Code, Context, Failure, say
from pipeline.cli.filters import LIST, day_option, emit, emit_lines, format_option, paint, read_state, understood

if TYPE_CHECKING:
    import sqlite3

    from pipeline.citing import Candidate
    from pipeline.reports.cited import Answer, Citation

_AGREEMENT = re.compile(r"[ap]-[0-9a-z-]+")
_AGENCY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
_SHOWN = 20
"""So many rows that may be an agency are shown."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What the user asks: an agreement or agency, or with `absent` the name of one that is not there."""

    text: str
    absent: bool
    state: str | None
    list_name: ListName | None
    on: date | None

    @property
    def list(self) -> ListName:
        return self.list_name or ListName.PARTICIPATING


@click.command()
@click.argument("agreement", metavar="[AGREEMENT]", required=False)
@day_option(
    "--on",
    "on",
    text="The day: YYYY-MM-DD, today, yesterday, 7d. Required, but for a name that no list has ever had.",
)
@click.option(
    "--absent", metavar="NAME", help="An agency's name: show that no row of that day's list, or of any, has it."
)
@click.option("--state", callback=understood(read_state), help="Postal code or name of the agency's state.")
@click.option("--list", "list_name", type=LIST, help="Which list; else participating, or the one that it is on.")
@format_option("text", "bibtex", "json")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Also write the evidence into a new folder: workbooks, checksums, a note on how to verify them.",
)
@click.pass_context
def cite(
    ctx: click.Context,
    agreement: str | None,
    on: date | None,
    absent: str | None,
    state: str | None,
    list_name: str | None,
    form: str,
    folder: Path | None,
) -> None:
    """Whether ICE listed an agreement or agency on a day, and which workbook shows it.

    AGREEMENT is an id as `list` and `show` give it (a-..., p-... for an application), an agency's id, or an agency's
    name or part of it. For an agency with several agreements each is cited, and so are those of agencies that share the
    name in full; if several may be meant otherwise, their agreements are listed and the exit code is 1. A name that no
    list has ever had is shown to be absent, as with --absent; without --on, from all lists of the history.

    Absence is said only if no row of the state may be the agency. Rows that are spelt nearly so, or are of the same
    place and kind, are shown instead, and the exit code is 1.

    Names the workbook in force at the end of that day with its SHA-256, rows and printed cells, where it came from, the
    lists before and after it, and the limits of what they say.

    Exit code 0 if listed or not listed can be said. If no list was seen on that day (UTC) or later, nobody knows: the
    answer is "last known: listed" or "last known: not listed", with the last list as evidence and exit code 1.
    """
    context: Context = ctx.obj
    if (agreement is None) == (absent is None):
        raise Failure("give an agreement or agency, or --absent with a name; and --on with a day", Code.USAGE)
    if on is not None and on > datetime.now(UTC).date():
        raise Failure(f"{on} is in the future; nobody can say yet what ICE lists then")
    text = absent if absent is not None else agreement or ""
    question = _Question(text, absent is not None, state, ListName(list_name) if list_name else None, on)
    with context.reading() as connection:
        answer = _answer(connection, question)
    if folder is not None:
        _write(context, answer, folder)
    _tell(answer, form)
    if not answer.says.certain:
        ctx.exit(Code.FAILED)


def _tell(answer: "Answer", form: str) -> None:
    from pipeline import __version__
    from pipeline.reports import citation as one
    from pipeline.reports import never_listed as none
    from pipeline.reports.cited import Citation, Never

    if isinstance(answer, Citation):
        text, json, bibtex = one.text(answer, paint), one.json(answer, __version__), one.bibtex(answer, __version__)
    elif isinstance(answer, Never):
        text, json, bibtex = none.text(answer, paint), none.json(answer, __version__), none.bibtex(answer, __version__)
    else:
        text = one.text_of_several(answer, paint)
        json, bibtex = one.json_of_several(answer, __version__), one.bibtex_of_several(answer, __version__)
    if form == "text":
        emit_lines(text)
    else:
        emit(json if form == "json" else bibtex)


def _write(context: Context, answer: "Answer", folder: Path) -> None:
    from db.archive import Archive, ArchiveError
    from pipeline import __version__
    from pipeline.publish import evidence

    try:
        evidence.write(folder, answer, Archive(context.paths.archive), __version__)
    except (ArchiveError, evidence.CannotWrite) as error:
        raise Failure(str(error)) from None
    click.echo(f"written: {folder}; begin with {folder / evidence.NOTE}", err=True)


def _answer(connection: "sqlite3.Connection", question: _Question) -> "Answer":
    """The answer.

    Raises:
        Failure: the history begins later, no day is given, or several agencies may be meant (they are listed).
    """
    from pipeline import citing
    from pipeline.cli.listing import to_have_one
    from pipeline.reading.places import fold

    if not fold(question.text):
        raise Failure("give the name of an agency or a part of it, or an id", Code.USAGE)
    try:
        ids = [] if question.absent else _meant(connection, question)
        if question.on is None:
            return _never(connection, question, ids)
        if len(ids) == 1:
            return citing.cite_agreement(connection, ids[0], question.on)
        if ids:
            return citing.cite_several(connection, ids, question.on, question.text)
        return _nobody(citing.cite_absence(connection, question.text, question.state, question.list, question.on))
    except citing.NothingKnown as nothing:
        which = f"{question.list_name} list" if question.list_name else "list"
        if nothing.begins is None:
            to_do = to_have_one(connection, question.list)
            raise Failure(f"it cannot be said: the history has no such {which}; {to_do}") from None
        raise Failure(
            f"it cannot be said: the history of that {which} begins on {nothing.begins}, after {question.on}"
        ) from None


def _never(connection: "sqlite3.Connection", question: _Question, ids: list[str]) -> "Answer":
    """That no list has ever had a name, where no day is given.

    Raises:
        Failure: agreements are meant, or some list has the name (its agreements are listed).
    """
    from pipeline import citing

    if ids:
        raise Failure("give the day with --on, for example --on 2025-06-01", Code.USAGE)
    if named := citing.ever_named(connection, question.text, question.state, question.list):
        _offer(citing.candidates(connection, named))
        raise Failure(
            f"{question.list} lists have had the name, or one that may mean the same agency: is it one of these?"
            " Give the day with --on, or cite one by its id"
        )
    return citing.cite_never(connection, question.text, question.state, question.list)


def _nobody(citation: "Citation") -> "Citation":
    """The citation, if no row of the list may be the agency.

    Raises:
        Failure: rows may be it by their names, or stand for an agency that had such a name on another day; they are
            listed.
    """
    from pipeline.reports.citation import brief

    rows, asked = citation.shown.rows, citation.asked
    if not rows:
        return citation
    for row in rows[:_SHOWN]:
        say(brief(row))
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN:,} more; give more of the name, or --state")
    day = f"ICE's {asked.list} list of that day ({citation.shown.published_on})"
    raise Failure(
        f"{day} has what may be {asked.name!r}: is it this? Absence cannot be said."
        f" Cite a row by its id: watch287g cite {rows[0].agreement_id} --on {asked.on}"
    )


def _meant(connection: "sqlite3.Connection", question: _Question) -> list[str]:
    """The ids of the agreement that is meant, or of all that are; none if no list named such an agency.

    Those of one agency are, and those of several that share the name in full, then or on another day.

    Raises:
        Failure: those of several agencies may be meant (they are listed), or the id is unknown.
    """
    from pipeline import citing

    ident = question.text.strip().lower()
    if _AGREEMENT.fullmatch(ident):
        if not citing.candidates(connection, [ident]):
            raise Failure(f"no agreement has the id {ident}; `watch287g list` and `watch287g show` give them")
        return [ident]
    if _AGENCY.fullmatch(ident) and (ids := citing.of_agency(connection, ident)):
        return [one.agreement_id for one in _of_list(question, citing.candidates(connection, ids))]
    found = _found(connection, question)
    chosen = _of_list(question, citing.candidates(connection, list(found)))
    of_one = len({one.agency_id for one in chosen}) == 1 and chosen[0].agency_id is not None
    shared = len({one.state for one in chosen}) == 1 and all(found[one.agreement_id] for one in chosen)
    if len(chosen) > 1 and not of_one and not shared:
        _ask(connection, question, chosen)
    return [one.agreement_id for one in chosen]


def _found(connection: "sqlite3.Connection", question: _Question) -> dict[str, bool]:
    """The ids of the agreements that a name may mean, and whether it is their name in full, then or on another day."""
    from pipeline import citing, queries
    from pipeline.citing import bearers

    found: dict[str, bool] = {}
    for match in queries.find_agencies(connection, question.text, question.state):
        full = any(bearers.same_name(question.text, name, match.state) for name in (match.name, match.once or ""))
        found |= {one.agreement_id: full for one in queries.agency(connection, match).timelines}
    if question.on is not None:
        for kind in ListName:
            bearing = citing.bearing(connection, question.text, question.state, kind, question.on)
            found |= dict.fromkeys(bearing, True)
    return found


def _of_list(question: _Question, known: "list[Candidate]") -> "list[Candidate]":
    """Those on the list that is asked about; where none is said and there are none, those on the other."""
    chosen = [one for one in known if one.list is question.list]
    return chosen if chosen or question.list_name is not None else known


def _ask(connection: "sqlite3.Connection", question: _Question, chosen: "list[Candidate]") -> NoReturn:
    """Let the user choose between agreements of several agencies.

    Raises:
        Failure: always, once they are listed.
    """
    from pipeline import citing

    on, listed = question.on, None
    if on is not None:
        listed = citing.listed_among(connection, chosen[0].list, [one.agreement_id for one in chosen], on)
    _offer(chosen, on, listed)
    none = f"; none of the {len(chosen)} was on the list in force on {on}" if listed is not None and not listed else ""
    several = question.state is None and len({one.state for one in chosen}) > 1
    how = "give --state, or cite one by its id" if several else "cite one by its id, or its agency by its own"
    raise Failure(f"{question.text!r} may mean {len(chosen)} agreements or applications{none}; {how}")


def _offer(candidates: "list[Candidate]", on: date | None = None, listed: Collection[str] | None = None) -> None:
    """List agreements with their ids and, where it is asked, whether the list in force on a day has them."""
    from pipeline.reports.escaping import printable
    from pipeline.reports.wording import agency

    for one in candidates:
        signed = f", signed {one.signed_on}" if one.signed_on else ""
        until = f"until {one.left_on}" if one.left_on else "to now"
        told = f"{agency(one.state, one.agency)}, {one.support_model or 'model unknown'}{signed}"
        then = "" if listed is None else f", {'listed' if one.agreement_id in listed else 'not listed'} on {on}"
        ids = f"{one.agreement_id}  {told}; {one.list} from {one.first_listed_on} {until}{then}"
        say(printable(f"{ids}  [{one.agency_id}]" if one.agency_id else ids))
