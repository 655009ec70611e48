"""Citations with hostile names in every format, and BibTeX that LaTeX can set."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import ListName
from pipeline.reports import citation, evidence_note
from pipeline.reports.cited import Asked, Citation, Copy, LeftOut, NotCounted, Part, Row, Seen, Shown
from pipeline.reports.record import Terms
from tests.pipeline.reports.story import event
from tests.pipeline.reports.test_formats import HOSTILE

_SHA = "ab" * 32


def _citation(name: str, *, listed: bool = True) -> Citation:
    cells = {"STATE": name, "LAW ENFORCEMENT AGENCY": name, "SUPPORT TYPE": name, "SIGNED": name, "MOA": ""}
    row = Row(7, "a-1", False, "TX", name, cells)
    when = "2025-06-27T14:00:00Z"
    shown = Shown(
        *(ListName.PARTICIPATING, "2025-06-27", "file_name", f"{name}.xlsx", _SHA, 1000, when, when, when, when, 700),
        (Seen(f"{name}.xlsx", f"https://www.ice.gov/{name}", when, when),),
        (row,) if listed else (),
        (LeftOut(3, name),),
    )
    terms = Terms("a-1", "TX", name, None, name, name, name, None, None)
    asked = Asked("2025-06-28", ListName.PARTICIPATING, "a-1", "tx-a", terms, name, "TX")
    counted = NotCounted("held", name, "2025-06-28", f"{name}.xlsx", "cd" * 32, when, when)
    return Citation(
        asked, {Part.OF_THE_DAY: shown}, (event(agency=name, note=name),), (counted,), (row,), (row,), None, when
    )


def _copies(name: str) -> dict[str, Copy]:
    return {_SHA: Copy("list.xlsx", name, 1, {"STATE": "A"}, (2, 701), frozenset({7}))}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("listed", [True, False])
def test_no_name_forges_a_line_or_an_escape(name: str, listed: bool) -> None:
    plain, hostile = _citation("Plain", listed=listed), _citation(name, listed=listed)
    for render in (citation.text, lambda one: citation.bibtex(one, "1"), lambda one: citation.json(one, "1")):
        told = render(hostile)
        assert re.search(r"[^\n -\U0010ffff]|\x7f|\u202e", told) is None
        assert told.count("\n") == render(plain).count("\n")
    note = evidence_note.render(hostile, _copies(name), "1")
    assert re.search(r"[^\n -\U0010ffff]|\x7f|\u202e", note) is None


def test_the_document_has_a_schema_and_every_part() -> None:
    document = json.loads(citation.json(_citation("Kerr"), "1.2"))
    assert list(document) == [
        *("schema", "program", "says", "sentence", "asked", "publications", "not_counted", "events", "namesakes"),
        *("nearest", "elsewhere", "last_sighting", "limits"),
    ]
    assert document["schema"] == 1
    assert document["program"] == "watch287g 1.2"
    shown = document["publications"]["of_the_day"]
    assert shown["says"] == "listed"
    assert shown["rows"][0]["cells"]["STATE"] == "Kerr"
    assert shown["seen"][0]["url"] == "https://www.ice.gov/Kerr"


def test_an_entry_names_author_file_date_address_and_hash() -> None:
    entry = citation.bibtex(_citation("Kerr_County & Co"), "1.2")
    assert entry.startswith("@misc{ice-287g-participating-2025-06-27-abababab,\n")
    assert "author = {{U.S. Immigration and Customs Enforcement}}," in entry
    assert r"title = {{Kerr\_County \& Co.xlsx}}," in entry
    assert "date = {2025-06-27}," in entry
    assert f"SHA-256 {_SHA}" in entry
    assert "Row 7." in entry


@given(st.text())
def test_whatever_a_name_is_the_entry_has_its_braces_in_pairs(name: str) -> None:
    entry = citation.bibtex(_citation(name), "1")
    depth = 0
    for character in re.sub(r"\\[{}]", "", entry):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert entry.endswith("}\n")
    assert entry.count("\n") == citation.bibtex(_citation("x"), "1").count("\n")


@given(st.text())
def test_what_latex_obeys_is_escaped(name: str) -> None:
    escaped = citation.latex(name)
    assert re.search(r"(?<!\\)[&%$#_~^]", escaped) is None
    assert re.search(r"\\(?!text(backslash|asciitilde|asciicircum)\{\}|[{}&%$#_])", escaped) is None
