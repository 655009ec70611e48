"""The history as files for other programs: CSV, JSON lines, Parquet, XLSX and GeoJSON, with a datapackage.json.

    write_all(connection, Path("data"), formats=[Format.CSV, Format.JSONL], as_of=date(2025, 6, 1))

The same history gives the same bytes. `tables` is the schema from which every format follows.
"""

from pipeline.publish.exports.description import Written
from pipeline.publish.exports.tables import Format
from pipeline.publish.exports.writing import ExportError, earlier, write_all

__all__ = ["ExportError", "Format", "Written", "earlier", "write_all"]
