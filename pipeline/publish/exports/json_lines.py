"""A table -> JSON lines: an object a row, with every column, values exact; what is JSON in the history is JSON here."""

import json
from collections.abc import Sequence

from pipeline.publish.exports.reading import Row
from pipeline.publish.exports.tables import Table


def render(table: Table, rows: Sequence[Row]) -> bytes:
    """The file: ASCII only, lines that end in LF; the same for the same rows."""
    names = [column.name for column in table.columns]
    nested = [(column.name, number) for number, column in enumerate(table.columns) if column.type.is_json]
    lines = []
    for row in rows:
        record = dict(zip(names, row, strict=True))
        for name, number in nested:
            record[name] = None if row[number] is None else json.loads(row[number])
        lines.append(json.dumps(record, separators=(",", ":")) + "\n")
    return "".join(lines).encode("ascii")
