"""Makes docs/schema.md from the schema and the dictionary, and docs/recipes.md from the recipes.

    python -m tools.make_docs [--check]

`--check` writes nothing, and ends with 1 if a document is not what would be made.
"""

import argparse
import re
import sys
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from db import schema
from db.connect import open_writable
from pipeline.publish.browse.recipes import recipes

DOCS = Path(__file__).parents[1] / "docs"


def main() -> int:
    """Write the documents, or say which are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = {path: text for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if check:
            sys.stderr.write(f"{path.name} is not current: python -m tools.make_docs\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if check and stale else 0


def documents() -> dict[Path, str]:
    """Each document and its text."""
    return {DOCS / "schema.md": schema_document(), DOCS / "recipes.md": recipes_document()}


def schema_document() -> str:
    """What docs/schema.md says."""
    with TemporaryDirectory() as folder, closing(open_writable(Path(folder) / "history.db")) as connection:
        found = schema.relations(connection)
    ordered = [found[name] for name in schema.dictionary()]
    tables = [_table(one) for one in ordered if not one.is_view]
    referred = {key["table"] for table in tables for key in table["foreign_keys"]}
    return _environment().get_template("schema.md.j2").render(
        views=[one for one in ordered if one.is_view],
        tables=tables,
        dictionary=schema.dictionary(),
        referred=referred,
        lonely=[one["name"] for one in tables if not one["foreign_keys"] and one["name"] not in referred],
    )  # fmt: skip


def _table(relation: schema.Relation) -> dict[str, Any]:
    """A table with what its diagram and its remarks need."""
    required = {column.name for column in relation.columns if column.required or column.key}
    outward = {key.column: key for key in relation.foreign_keys}
    primary = [column.name for column in relation.columns if column.key]
    remarks = {column.name: "" for column in relation.columns}
    for name in primary:
        remarks[name] = " Primary key." if len(primary) == 1 else " Part of the primary key."
    for name, key in outward.items():
        remarks[name] += f" → `{key.table}.{key.to}`"
    return {
        "name": relation.name,
        "columns": relation.columns,
        "key_columns": {*primary, *outward},
        "outward": outward,
        "foreign_keys": [key._asdict() | {"required": key.column in required} for key in relation.foreign_keys],
        "remarks": remarks,
        "unique": relation.unique,
        "indexes": relation.indexes,
    }


def recipes_document() -> str:
    """What docs/recipes.md says."""
    told = [asdict(one) | {"has_rows": one.answer.count("\n") > 1} for one in recipes()]
    groups = [(group, list(found)) for group, found in groupby(told, key=lambda one: one["group"])]
    return _environment().get_template("recipes.md.j2").render(groups=groups)


def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - Markdown, from texts of our own
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    environment.filters["code"] = lambda text: f"`{text}`"
    environment.filters["anchor"] = _anchor
    return environment


def _anchor(heading: str) -> str:
    """Where code hosts put the target of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
