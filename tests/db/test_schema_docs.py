"""docs/schema.md is what the schema and its dictionary say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from db import schema
from tools import make_docs

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["schema.md", "recipes.md"])
def test_a_document_that_is_made_is_current(name: str) -> None:
    made = make_docs.documents()[make_docs.DOCS / name]

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made, "run: python -m tools.make_docs"


def test_the_check_says_what_is_not_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_docs, "DOCS", tmp_path)
    monkeypatch.setattr("sys.argv", ["make_docs", "--check"])
    assert make_docs.main() == 1
    assert capsys.readouterr().err.count("is not current") == 2
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("sys.argv", ["make_docs"])
    assert make_docs.main() == 0
    monkeypatch.setattr("sys.argv", ["make_docs", "--check"])
    assert make_docs.main() == 0


def test_every_view_and_table_has_a_part_of_its_own() -> None:
    text = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) >= set(schema.dictionary())


def test_every_foreign_key_is_a_line_of_the_diagram() -> None:
    text = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
    lines = set(re.findall(r"^    (\w+) \S+ (\w+) : (\w+)$", text.partition("## The tables")[2], re.MULTILINE))

    assert {("publication", "event", "publication_id"), ("county", "version", "county_fips")} <= lines
    assert len(lines) == text.partition("## The tables")[2].count("→ `")
