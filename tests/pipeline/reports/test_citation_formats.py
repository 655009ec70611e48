"""Citations with hostile names in every format, and BibTeX that LaTeX can set."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import ListName
from pipeline.reports import citation, evidence_note, never_listed
from pipeline.reports.cited import (
    Asked,
    Citation,
    Consulted,
    Copy,
    LeftOut,
    Near,
    Never,
    NotCounted,
    Origin,
    Part,
    Row,
    Seen,
    Several,
    Shown,
)
from pipeline.reports.record import Terms
from tests.pipeline.reports.story import event
from tests.pipeline.reports.test_formats import HOSTILE

_SHA = "ab" * 32
TAKEN = "not fetched by this program: taken in on 2025-07-01 from a collection"


def _shown(name: str, origin: Origin = Origin.FETCHED, *rows: Row) -> Shown:
    when = "2025-06-27T14:00:00Z"
    url = f"https://www.ice.gov/{name}" if origin is Origin.FETCHED else None
    return Shown(
        *(ListName.PARTICIPATING, "2025-06-27", "file_name", f"{name}.xlsx", _SHA, 1000, when, when, when, when, 700),
        (Seen(f"{name}.xlsx", url, when, when, "2025-07-01T00:00:00Z", origin),),
        rows,
        (LeftOut(3, name),),
    )


def _citation(name: str, *, listed: bool = True, origin: Origin = Origin.FETCHED) -> Citation:
    cells = {"STATE": name, "LAW ENFORCEMENT AGENCY": name, "SUPPORT TYPE": name, "SIGNED": name, "MOA": ""}
    row = Row(7, "a-1", False, "TX", name, cells)
    when = "2025-06-27T14:00:00Z"
    shown = _shown(name, origin, *((row,) if listed else ()))
    terms = Terms("a-1", "TX", name, None, name, name, name, None, None)
    asked = Asked("2025-06-27", ListName.PARTICIPATING, "a-1", "tx-a", terms, name, "TX")
    counted = NotCounted("held", name, "2025-06-28", f"{name}.xlsx", "cd" * 32, when, when)
    return Citation(
        asked, {Part.OF_THE_DAY: shown}, (event(agency=name, note=name),), (counted,), (row,), (row,), None, when
    )


def _never(name: str) -> Never:
    when = "2025-06-27T14:00:00Z"
    consulted = Consulted("2025-06-27", "seen", f"{name}.xlsx", _SHA, 1000, 700, when, when, when, False)
    return Never(
        ListName.PARTICIPATING,
        name,
        "MA",
        (consulted, consulted),
        _shown(name, Origin.COLLECTION),
        (NotCounted("held", name, "2025-06-28", f"{name}.xlsx", "cd" * 32, when, when),),
        (Near("tx-a", "TX", name, 71.0, "2025-02-21", "2025-06-27"),),
        ("2025-03-01", "2025-03-08"),
        when,
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
    several = Several((hostile, hostile))
    for told in (
        evidence_note.render(hostile, _copies(name), "1"),
        evidence_note.render_several(several, "1"),
        citation.text_of_several(several),
        citation.bibtex_of_several(several, "1"),
        citation.json_of_several(several, "1"),
    ):
        assert re.search(r"[^\n -\U0010ffff]|\x7f|\u202e", told) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_one_never_listed_forges_a_line_or_an_escape(name: str) -> None:
    plain, hostile = _never("Plain"), _never(name)
    for render in (
        never_listed.text,
        lambda one: never_listed.bibtex(one, "1"),
        lambda one: never_listed.json(one, "1"),
    ):
        told = render(hostile)
        assert re.search(r"[^\n -\U0010ffff]|\x7f|\u202e", told) is None
        assert told.count("\n") == render(plain).count("\n")
    note = evidence_note.render_never(hostile, _copies(name)[_SHA], "1")
    assert re.search(r"[^\n -\U0010ffff]|\x7f|\u202e", note) is None
    assert not [
        cell for row in csv.reader(never_listed.lists_csv(hostile).splitlines()) for cell in row if cell[:1] == "="
    ]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin.FETCHED, "fetched from https://www.ice.gov/Kerr at 2025-06-27T14:00:00Z"),
        (
            Origin.COLLECTION,
            f"{TAKEN} that says it was seen at 2025-06-27T14:00:00Z",
        ),
        (
            Origin.FILE,
            f"{TAKEN}; its time there, 2025-06-27T14:00:00Z, is the file's own time of modification, not a sighting",
        ),
    ],
)
def test_every_form_says_where_the_workbook_came_from(origin: Origin, words: str) -> None:
    told = _citation("Kerr", origin=origin)
    assert words in citation.text(told)
    assert words in evidence_note.render(told, _copies("Kerr"), "1")
    document = json.loads(citation.json(told, "1"))["publications"]["of_the_day"]
    assert document["provenance"] == [words]
    assert document["seen"][0]["origin"] == origin
    note = " ".join(evidence_note.render(told, _copies("Kerr"), "1").split())
    assert ("under the name that ICE gave it" in note) is (origin is Origin.FETCHED)
    assert ("ICE's own name for it" in note) is (origin is Origin.FETCHED)
    entry = citation.bibtex(told, "1")
    assert ("Not fetched by this program" in entry) is (origin is not Origin.FETCHED)
    assert ("urldate" in entry) is (origin is Origin.FETCHED)
    assert ("Nobody has noted when the workbook was seen" in citation.text(told)) is (origin is Origin.FILE)


def test_a_workbook_that_was_fetched_and_taken_in_too_says_both() -> None:
    fetched, kept = (_shown("Kerr", origin) for origin in (Origin.FETCHED, Origin.COLLECTION))
    assert citation.provenance(replace(fetched, seen=(*kept.seen, *fetched.seen))) == [
        "fetched from https://www.ice.gov/Kerr at 2025-06-27T14:00:00Z",
        "also taken in on 2025-07-01 from a collection that says it was seen at 2025-06-27T14:00:00Z",
    ]


def test_the_document_has_a_schema_and_every_part() -> None:
    document = json.loads(citation.json(_citation("Kerr"), "1.2"))
    assert list(document) == [
        *("schema", "program", "says", "sentence", "asked", "publications", "not_counted", "events", "namesakes"),
        *("nearest", "elsewhere", "alike", "searched", "last_sighting", "limits"),
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
