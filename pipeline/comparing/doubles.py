"""Rows that ICE's own list has of an agreement besides the one that counts, and that ours leaves out."""

import sqlite3

from pipeline.comparing import table
from pipeline.reports.comparison import Entry
from pipeline.reports.record import Source

DOUBLES = """
select a.public_id as agreement_id, l.row, json_extract(c.cells, '$[0]') as state,
       json_extract(c.cells, '$[1]') as agency, json_extract(c.cells, '$[4]') as model,
       json_extract(c.cells, '$[5]') as signed, json_extract(c.cells, '$[3]') as county
from workbook w
join publication p on p.workbook_id = w.id and p.list = :list and p.published_on = :on and p.verdict = 'accepted'
join placement l on l.publication_id = p.id and l.duplicate = 1
join printed c on c.id = l.printed_id
join agreement a on a.id = l.agreement_id
where w.sha256 = :sha256
order by p.id, l.row
"""
_FIELDS = ("state", "agency", "model", "signed", "county")


def of(connection: sqlite3.Connection, source: Source) -> list[tuple[str, Entry]]:
    """The repeated rows of a list, read as another tracker's are, each with the id of its agreement."""
    wanted = {"list": source.list, "on": source.published_on, "sha256": source.workbook_sha256}
    return [
        (row["agreement_id"], entry)
        for row in connection.execute(DOUBLES, wanted)
        for entry in table.entries(row["row"], {field: row[field] for field in _FIELDS})
    ]
