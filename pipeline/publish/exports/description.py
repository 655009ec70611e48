"""What an export says of itself: a Frictionless `datapackage.json`, and the same in words."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import __version__
from pipeline.publish.exports.delimited import GUARD
from pipeline.publish.exports.reading import Content, Edition
from pipeline.publish.exports.tables import Column, Format, Table, Type

NAME = "watch287g"
FILE = "datapackage.json"
TITLE = "ICE's 287(g) agreements: who has signed, who has applied, and what changed"
DESCRIPTION = (
    "A history of the two lists that U.S. Immigration and Customs Enforcement (ICE) publishes of its 287(g) program:"
    " law enforcement agencies that take part, and agencies that have applied. ICE publishes no history of them; this"
    " one was made of the workbooks as they were published, and every row names the workbook that shows it by its"
    " SHA-256. That an agreement is no longer listed does not say why."
)
LICENCE = {
    "name": "CC0-1.0",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
    "title": "CC0 1.0 Universal (public domain dedication)",
}
LICENCE_IN_WORDS = (
    "ICE's lists are works of the United States government, and as such in the public domain (17 U.S.C. § 105). What"
    " was added (identities, events, codes) is dedicated to the public domain too: CC0 1.0."
)
SOURCES = (
    {"title": "ICE, 287(g) participating and pending agencies", "path": "https://www.ice.gov/identify-and-arrest/287g"},
    {
        "title": "U.S. Census Bureau, Gazetteer Files: codes, names and positions of states and counties",
        "path": "https://www.census.gov/geographies/reference-files/time-series/geo/gazetteer-files.html",
    },
)

MEDIA_TYPES = {
    Format.CSV: "text/csv",
    Format.JSONL: "application/jsonl",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.GEOJSON: "application/geo+json",
}

_NOTES = {
    Format.CSV: "RFC 4180, UTF-8, lines end in CR LF. A text that a spreadsheet program could take for a formula begins"
    " with an apostrophe more: see `formulaGuard`.",
    Format.JSONL: "An object a line; texts exact, nothing is escaped but by JSON.",
    Format.PARQUET: "Dates as date32, times as timestamp with time zone UTC, objects and arrays as JSON texts.",
    Format.XLSX: "All tables, a sheet each; the first says what they are. Times are UTC without a zone.",
    Format.GEOJSON: "A point an agreement, in the middle of its county; of its state, where `location` says so.",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A file of an export.

    `format` is `json` for the datapackage. `table` is None for a file that is of all tables, `rows` then the number of
    all their rows. `changed` says whether the file had to be written.
    """

    name: str
    format: str
    table: str | None
    rows: int
    bytes: int
    sha256: str
    changed: bool


def written(name: str, form: str, table: str | None, rows: int, data: bytes) -> Written:
    """The description of a file, as one that is to be written."""
    return Written(name, form, table, rows, len(data), hashlib.sha256(data).hexdigest(), changed=True)


def about(edition: Edition) -> Iterator[tuple[str, str]]:
    """What the export is, in pairs of a word and a text."""
    yield "What", TITLE
    yield "", DESCRIPTION
    for name, source in edition.lists.items():
        yield (
            f"{name} list",
            f"of {source['published_on']}: {source['workbook_name']}, SHA-256 {source['workbook_sha256']}",
        )
    if edition.as_of is not None:
        yield "As of", f"{edition.as_of}: {as_of_in_words(edition)}"
    yield "Newest list seen", f"{edition.created} (UTC)"
    for source in SOURCES:
        yield "Source", f"{source['title']}: {source['path']}"
    yield "Licence", LICENCE_IN_WORDS
    yield "Made by", f"{NAME} {__version__}"


def as_of_in_words(edition: Edition) -> str:
    """What a date does to the tables."""
    return (
        f"agreements and applications are those of ICE's lists as they were at the end of {edition.as_of}; history,"
        " publications and events reach to that day, and agencies are those listed by then, with the numbers of that"
        " day. Corrections, the status of events and the latest names of agencies are as known when this was made."
    )


def datapackage(contents: Sequence[Content], edition: Edition, files: Sequence[Written]) -> bytes:
    """The descriptor; the same for the same files."""
    by_table = {content.table.name: content for content in contents}
    described = {
        "profile": "data-package",
        "name": NAME,
        "title": TITLE,
        "description": " ".join(
            [DESCRIPTION, LICENCE_IN_WORDS, *([f"As of: {as_of_in_words(edition)}"] if edition.as_of else [])]
        ),
        "version": __version__,
        "created": edition.created,
        "asOf": edition.as_of and edition.as_of.isoformat(),
        "lists": edition.lists,
        "keywords": ["287(g)", "ICE", "immigration enforcement", "law enforcement agencies"],
        "licenses": [LICENCE],
        "sources": SOURCES,
        "resources": [_resource(file, by_table) for file in files],
    }
    return (json.dumps(described, indent=2) + "\n").encode("ascii")


def _resource(file: Written, contents: dict[str, Content]) -> dict[str, Any]:
    form = Format(file.format)
    content = contents.get(file.table or "")
    is_csv = form is Format.CSV
    resource: dict[str, Any] = {
        "name": file.name.rpartition(".")[0] if is_csv else file.name.replace(".", "-"),
        "type": "table" if is_csv else "file",
        "profile": "tabular-data-resource" if is_csv else "data-resource",
        "path": file.name,
        "title": content.table.title if content else TITLE,
        "description": f"{content.description} {_NOTES[form]}" if content else _NOTES[form],
        "format": form.value,
        "mediatype": MEDIA_TYPES[form],
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if is_csv:
        dialect = {"delimiter": ",", "lineTerminator": "\r\n"}
        resource |= {"rows": file.rows, "dialect": dialect, "formulaGuard": GUARD}
    if content is not None and form is not Format.GEOJSON:
        resource["schema"] = _schema(content, contents if is_csv else ())
    return resource


def _schema(content: Content, there: Collection[str]) -> dict[str, Any]:
    table = content.table
    keys = [
        {"fields": [one.column], "reference": {"resource": one.table, "fields": [one.to]}}
        for one in table.references
        if one.table in there
    ]
    schema = {
        "fields": [_field(table, column, content.comments[column.name]) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    return schema | ({"foreignKeys": keys} if keys else {})


def _field(table: Table, column: Column, comment: str) -> dict[str, Any]:
    described: dict[str, Any] = {"name": column.name, "type": column.type.value}
    if comment:
        described["description"] = comment
    if not column.optional:
        constraints = {"required": True}
        described["constraints"] = constraints | ({"unique": True} if table.key == (column.name,) else {})
        if column.type is Type.TEXT:
            described["missingValues"] = []  # an empty field is the empty text
    return described
