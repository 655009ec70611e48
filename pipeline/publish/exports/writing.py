"""An export, from the history to the files in a folder."""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from pipeline.publish.exports import delimited, geo_json, json_lines, parquet
from pipeline.publish.exports.description import FILE, NAME, Written, datapackage, written
from pipeline.publish.exports.folder import replace_files
from pipeline.publish.exports.reading import Content, Edition, content, edition, one_moment
from pipeline.publish.exports.tables import AGREEMENTS, TABLES, Format

WORKBOOK = f"{NAME}.xlsx"

_EVERY_FILE = {WORKBOOK} | {f"{table.name}.{form}" for table in TABLES for form in Format}


class ExportError(Exception):
    """The export cannot be made; the message is one sentence that says what to do."""


def installed() -> list[Format]:
    """The formats that can be written here; Parquet needs the extra `parquet`."""
    return [form for form in Format if form is not Format.PARQUET or parquet.is_installed()]


def write_all(
    connection: sqlite3.Connection,
    folder: Path,
    *,
    formats: Collection[str] | None = None,
    tables: Collection[str] = (),
    as_of: date | None = None,
    link_hosts: Collection[str] = ("ice.gov",),
) -> list[Written]:
    """Write the history's tables into a folder, made if it is not there; gives all the files of the export.

    formats: values of `Format`, else all that are installed; tables: names of `TABLES`, else all; as_of: the lists as
    ICE had them at the end of that day, and the other tables up to it; link_hosts: where a link in the workbook may
    lead.

    Files whose bytes do not differ are not written. The datapackage.json is replaced last (written first
    where there was none); files of an earlier export
    that it named and that are not part of this one are removed, and nothing else in the folder is touched.

    Raises:
        ExportError: the history has no list, or none that old; Parquet is asked for and pyarrow is not installed; a
            file of somebody else's is in the way.
        OSError: the folder cannot be written; then its files are whole, and each an old or a new one.
    """
    wanted = [form for form in Format if form in (installed() if formats is None else formats)]
    if not any(_makes(form, tables) for form in wanted):
        raise ExportError("GeoJSON has the agreements; ask for that table, or for another format")
    if Format.PARQUET in wanted and not parquet.is_installed():
        raise ExportError("Parquet needs pyarrow; install it with: pip install 'watch287g[parquet]'")
    with one_moment(connection):
        if (of := edition(connection, as_of)) is None:
            older = f"of {as_of} or before" if as_of else "yet; run `watch287g check` or `watch287g backfill`"
            raise ExportError(f"the history has no list {older}")
        contents = [content(connection, table, of) for table in TABLES if not tables or table.name in tables]
    files: dict[str, bytes] = {}
    described: list[Written] = []
    for name, form, table, rows, data in _rendered(contents, of, wanted, link_hosts):
        files[name] = data
        described.append(written(name, form, table, rows, data))
    files[FILE] = datapackage(contents, of, described)
    described.append(written(FILE, "json", None, sum(len(one.rows) for one in contents), files[FILE]))
    before = earlier(folder)
    for name in files:
        if before is None and os.path.lexists(folder / name):
            raise ExportError(f"{folder / name} is not of an earlier export; move it away or name another folder")
    if before is None:  # whoever is killed has left a folder that the next export knows as its own
        files = {FILE: files[FILE], **files}
    changed = replace_files(folder, files, (before or set()) - files.keys())
    return [replace(file, changed=file.name in changed) for file in described]


def _makes(form: Format, tables: Collection[str]) -> bool:
    return form is not Format.GEOJSON or not tables or AGREEMENTS.name in tables


def _rendered(
    contents: Sequence[Content], of: Edition, formats: Collection[Format], link_hosts: Collection[str]
) -> Iterator[tuple[str, Format, str | None, int, bytes]]:
    """(name, format, table, rows, content) of each file."""
    for one in contents:
        table, rows = one.table, one.rows
        for form in formats:
            match form:
                case Format.CSV:
                    data = delimited.render(table, rows)
                case Format.JSONL:
                    data = json_lines.render(table, rows)
                case Format.PARQUET:
                    data = parquet.render(one)
                case Format.GEOJSON if table is AGREEMENTS:
                    data = geo_json.render(rows)
                case _:
                    continue
            yield f"{table.name}.{form}", form, table.name, len(rows), data
    if Format.XLSX in formats:
        from pipeline.publish.exports import workbook

        whole = workbook.render(contents, of, link_hosts)
        yield WORKBOOK, Format.XLSX, None, sum(len(one.rows) for one in contents), whole


def earlier(folder: Path) -> set[str] | None:
    """The files of ours that the datapackage of an earlier export names; None where there is none of ours."""
    try:
        found = json.loads((folder / FILE).read_bytes())
        if found["name"] != NAME:
            return None
        return _EVERY_FILE & {resource["path"] for resource in found["resources"]}
    except (OSError, ValueError, LookupError, TypeError):
        return None
