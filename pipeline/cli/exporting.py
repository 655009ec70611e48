"""`export`: the history as files for other programs."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from pipeline.cli.context import Context, Failure, say
from pipeline.cli.filters import day_option

FORMATS = ("csv", "jsonl", "parquet", "xlsx", "geojson")
TABLES = ("agreements", "applications", "events", "history", "agencies", "publications")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="Repeatable; else all that are installed (parquet needs the extra of that name).",
)
@day_option("--as-of", "on", text="The lists as ICE had them at the end of that date, the other tables up to it.")
@click.option("--only", "tables", multiple=True, type=click.Choice(TABLES), help="Only this table; repeatable.")
@click.pass_obj
def export(context: Context, folder: Path, formats: tuple[str, ...], on: date | None, tables: tuple[str, ...]) -> None:
    """Write the history into a folder: CSV, JSON lines, Parquet, XLSX, GeoJSON.

    Agreements in force, applications, events, the history of every agreement, agencies and publications, with a
    Frictionless datapackage.json that describes every file and column. The same history gives the same bytes; files
    that are the same already are not written again. Other files in DIR are not touched; those of an earlier export
    that is not repeated are removed.
    """
    from pipeline.publish.exports import ExportError, earlier, write_all

    if on is not None and on > datetime.now(UTC).date():
        raise Failure(f"{on} is in the future; leave out --as-of for the lists as they are now")
    hosts = context.config.source.link_hosts
    before = earlier(folder) or set()
    with context.reading() as connection:
        try:
            files = write_all(connection, folder, formats=formats or None, tables=tables, as_of=on, link_hosts=hosts)
        except ExportError as error:
            raise Failure(str(error)) from error
    for file in files:
        rows = f"{file.rows:>7,} rows" if file.format != "json" else " " * 12
        say(f"{file.name:<22}{rows}  {file.bytes:>10,} bytes{'' if file.changed else '  as before'}")
    if gone := sorted(before - {file.name for file in files}):
        say(f"removed, since this export does not have them: {', '.join(gone)}", fg="yellow")
