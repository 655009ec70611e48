"""`compare`: another tracker's list beside ours, for a day."""

import re
from datetime import date
from pathlib import Path

import click

from db.records import ListName
from pipeline.cli.context import Code, Context, Failure
from pipeline.cli.filters import (
    LIST,
    day_option,
    emit,
    emit_lines,
    format_option,
    paint,
    states_option,
    understood,
)
from pipeline.cli.listing import filtered, standing_on

_COLUMN = re.compile(r"""\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,]*?))\s*(?:,|$)""")
_FIELDS = ("state", "agency", "model", "signed", "county")


def _columns(text: str) -> dict[str, str]:
    """`state=State,agency="Agency Name"` -> which of their columns is which of ours.

    Raises:
        ValueError: it is no such text, or names a field that is not compared.
    """
    found: dict[str, str] = {}
    place = 0
    while place < len(text) or not found:
        match = _COLUMN.match(text, place)
        named = match and (match[2] or match[3] or match[4])
        if match is None or not named or match[1].lower() not in _FIELDS or match.end() == place:
            raise ValueError(
                f'{text!r} names no columns; write for example state=State,agency="Agency Name"; '
                f"fields are {', '.join(_FIELDS)}"
            )
        found[match[1].lower()] = named
        place = match.end()
    return found


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@day_option("--on", "on", text="Our list as it stood on that date: YYYY-MM-DD, yesterday, 7d; else now.")
@states_option
@click.option(
    "--columns",
    metavar="FIELD=HEADER,...",
    multiple=True,
    callback=understood(_columns),
    help="Their columns for state, agency, model, signed, county, where they are not found by usual names.",
)
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; else the first that fits.")
@click.option("--list", "list_name", type=LIST, default=ListName.PARTICIPATING.value, show_default=True)
@format_option("text", "csv", "json", "markdown")
@click.pass_context
def compare(
    ctx: click.Context,
    file: Path,
    on: date | None,
    states: tuple[str, ...],
    columns: tuple[dict[str, str], ...],
    sheet: str | None,
    list_name: str,
    form: str,
) -> None:
    """Another tracker's list (FILE, CSV or XLSX) beside ICE's as this history has it.

    Says where the two differ (signing date, model, county, spelling), what is only there, and what is only here. Rows
    are matched by state, agency and model; where one of theirs may be several of ours, they are shown together and
    nothing is guessed. Needs columns for state, agency and model; which were taken is said.

    A row that names several models ("JEM, WSO", "all three") stands for an agreement of each. Where a model cannot be
    read, the agreements left of that agency are shown; if only one is left, it is taken for that, and the model told as
    a difference. An empty date or county there is no difference. Dates are read with the month first, or with the day
    first where the column shows it, or dots part them (24.02.2025); Excel's serial numbers too.

    Rows that repeat others, or that ICE's own list repeats, are no difference; rows of a workbook that are hidden by
    hand, without a filter, are left out as they are of ICE's.

    With --state, only rows of these states are compared, and those of theirs whose state cannot be read.

    Exit code 0 if both say the same (rows that repeat others apart), 3 if they differ.
    """
    from pipeline.comparing import doubles, matching, table
    from pipeline.reports import comparison

    context: Context = ctx.obj
    try:
        with file.open("rb") as stream:
            data = stream.read(table.LIMITS.size + 1)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from None
    wanted = {field: header for some in columns for field, header in some.items()}
    try:
        theirs = table.read(data, file.name, wanted, sheet)
    except table.CannotRead as error:
        raise Failure(str(error)) from None
    with context.reading() as connection:
        whole = standing_on(connection, ListName(list_name), on, option="--on")
        repeated = doubles.of(connection, whole.source)
    compared = matching.compare(filtered(whole, states, ()), theirs, states, repeated)
    if form == "json":
        emit(comparison.json(compared))
    elif form == "csv":
        emit(comparison.csv(compared))
    elif form == "markdown":
        emit(comparison.markdown(compared))
    else:
        emit_lines(comparison.text(compared, paint))
    ctx.exit(Code.DONE if compared.agree else Code.CHANGED)
