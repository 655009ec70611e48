"""The record for other programs: JSON documents and CSV files, the same bytes for the same history."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from pipeline.reports.escaping import cell
from pipeline.reports.record import LoggedEvent, Standing, Terms

SCHEMA = 1
"""Raised when a field of the JSON documents goes or changes its meaning; a new field does not raise it."""

Scalar = str | float | None


def document(content: Mapping[str, Any]) -> str:
    """A JSON document: ASCII only, so that it is the same in every locale and harmless on a terminal."""
    return json.dumps({"schema": SCHEMA, **content}, indent=2)


def events_json(events: Iterable[LoggedEvent]) -> str:
    """`{"schema": 1, "events": [...]}`.

    An event has the columns of the public view `event_log` but `sequence`,
    and `still_listed`: for terminated, the support models that the agency still had then; else null.
    """
    return document({"events": [asdict(event) for event in events]})


def events_csv(events: Iterable[LoggedEvent]) -> str:
    """The same columns as in `events_json`; those that are objects or arrays there are JSON texts here."""
    columns = [column.name for column in fields(LoggedEvent)]
    return table_csv(columns, ([_flat(getattr(event, name)) for name in columns] for event in events))


def _flat(value: Any) -> Scalar:
    if isinstance(value, Mapping):
        return json.dumps(value) if value else None
    if isinstance(value, tuple):
        return json.dumps(value)
    flat: Scalar = value
    return flat


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[Scalar]]) -> str:
    """A CSV file (RFC 4180, with a header) in which no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue()


_COUNTY = ("county_fips", "county_name", "county_basis")


def standing_rows(standing: Standing) -> tuple[list[str], list[list[Scalar]]]:
    """The columns and rows of a list as it stood, each row with its evidence."""
    source = standing.source
    terms = [column.name for column in fields(Terms)]
    columns = [*terms, "first_listed_on", "list", "published_on", "workbook_name", "workbook_sha256", "row"]
    columns += [*_COUNTY, "as_of", "as_known"]
    evidence = [source.list, source.published_on, source.workbook_name, source.workbook_sha256]
    clocks = [standing.as_of, standing.as_known]
    rows = [
        [
            *(getattr(item.terms, name) for name in terms),
            item.first_listed_on,
            *evidence,
            item.row,
            *(getattr(item, name) for name in _COUNTY),
            *clocks,
        ]
        for item in standing.listed
    ]
    return columns, rows


def standing_csv(standing: Standing) -> str:
    """A list as it stood, a row an agreement."""
    return table_csv(*standing_rows(standing))


def standing_json(standing: Standing) -> str:
    """`{"schema": 1, "as_of": ..., "as_known": ..., "source": {...}, "whole": n, "agreements": [...]}`.

    `as_of` is the day asked about, `as_known` the day whose knowledge was asked for (both null for today).
    """
    agreements = [
        {
            **asdict(item.terms),
            "first_listed_on": item.first_listed_on,
            "row": item.row,
            **{name: getattr(item, name) for name in _COUNTY},
        }
        for item in standing.listed
    ]
    clocks = {"as_of": standing.as_of, "as_known": standing.as_known}
    return document({**clocks, "source": asdict(standing.source), "whole": standing.whole, "agreements": agreements})
