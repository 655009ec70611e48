"""A table -> Parquet with pyarrow, the extra `parquet`.

Dates are date32, times timestamp[ms, UTC], JSON its text. The same rows give the same bytes under the same version of
pyarrow, which writes its name into the file.
"""

from collections.abc import Sequence
from datetime import date, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pipeline.publish.exports.reading import Content, Row
from pipeline.publish.exports.tables import Column, Type

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped]


def is_installed() -> bool:
    """Whether pyarrow is there; it is not loaded."""
    return find_spec("pyarrow") is not None


def render(content: Content) -> bytes:
    """The file; columns carry their descriptions as metadata."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(
        [
            pyarrow.field(
                column.name,
                _type(column),
                nullable=column.optional,
                metadata={"description": content.comments[column.name]} if content.comments[column.name] else None,
            )
            for column in content.table.columns
        ]
    )
    arrays = [
        pyarrow.array(_values(column, number, content.rows), schema.field(number).type)
        for number, column in enumerate(content.table.columns)
    ]
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.Table.from_arrays(arrays, schema=schema)
    parquet.write_table(table, sink, version="2.6", compression="zstd", compression_level=9, data_page_version="1.0")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _type(column: Column) -> "pyarrow.DataType":
    import pyarrow

    match column.type:
        case Type.DATE:
            return pyarrow.date32()
        case Type.MOMENT:
            return pyarrow.timestamp("ms", "UTC")
        case Type.INTEGER:
            return pyarrow.int64()
        case Type.NUMBER:
            return pyarrow.float64()
        case _:
            return pyarrow.string()


def _values(column: Column, number: int, rows: Sequence[Row]) -> list[Any]:
    values = [row[number] for row in rows]
    match column.type:
        case Type.DATE:
            return [value and date.fromisoformat(value) for value in values]
        case Type.MOMENT:
            return [value and datetime.fromisoformat(value) for value in values]
        case _:
            return values
