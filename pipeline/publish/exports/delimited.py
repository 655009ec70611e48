"""A table -> CSV: RFC 4180 with a header, UTF-8 without a mark, lines that end in CR LF.

An empty field is null; in a column that is never null it is the empty text. No field is a formula: a text that a
spreadsheet program could take for one begins with an apostrophe more, which `unguarded` takes off again.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from pipeline.publish.exports.reading import Row
from pipeline.publish.exports.tables import Table
from pipeline.reports.escaping import cell

GUARD = {
    "prefix": "'",
    "pattern": r"^'+[=+\-@\t\r\n]",
    "undo": "remove the first character of every text that the pattern matches",
}
"""How a reader of a file gets the text back, for the datapackage."""


def render(table: Table, rows: Sequence[Row]) -> bytes:
    """The file; the same for the same rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows([guarded(value) for value in row] for row in rows)
    return out.getvalue().encode()


def guarded(value: Any) -> Any:
    """A value that no spreadsheet program takes for a formula, and from which it can be told what it was.

    What already looks guarded is guarded once more, so that two texts never become one.
    """
    return f"'{value}" if isinstance(value, str) and _is_risky(value) else value


def unguarded(text: str) -> str:
    """What `guarded` was given, from what it gave."""
    return text[1:] if text.startswith("'") and _is_risky(text) else text


def _is_risky(text: str) -> bool:
    bare = text.lstrip("'")
    return cell(bare) != bare
