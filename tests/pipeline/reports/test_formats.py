"""Hostile names in every format, and the documents that other programs read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from db.records import Kind, ListName
from pipeline.reports import data, markdown, page, tables, text
from pipeline.reports import standing as standings
from pipeline.reports.record import Listed, LoggedEvent, Reach, Selection, Source, Standing, Terms
from tests.pipeline.reports.story import event

HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://evil.example")',
    "@SUM(A1)",
    "a | b | c",
    "`code` **bold** [x](javascript:alert(1))",
    "</bdi></li><h1>",
    "line\nbreak\r\n- **NEW** forged",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "http://evil.example/x",
)
_MARKUP = re.compile(r"<|(?<!\\)(\]\((?!https://www\.ice\.gov/)|`code|\*bold)|http://")
_EVERYWHERE = pytest.mark.parametrize("name", HOSTILE)


def _hostile(name: str) -> list[LoggedEvent]:
    changed = {"agency": (name, "Kerr County Sheriff's Office"), "moa_url": (None, "javascript:alert(1)")}
    classes = {"agency": "rename", "moa_url": "link posted"}
    fields = {"agency": name, "county": name, "workbook_name": f"{name}.xlsx", "note": name}
    return [event(kind=Kind.CHANGED, changes=changed, change_classes=classes, row=7, **fields)]


def _standing(name: str) -> Standing:
    terms = Terms("a-1", "TX", name, None, name, "Task Force Model", None, "https://www.ice.gov/a.pdf", None)
    source = Source(ListName.PARTICIPATING, "2025-06-27", f"{name}.xlsx", "ab" * 32)
    return Standing(source, (Listed(terms, "2025-05-12", 7),), 1)


@_EVERYWHERE
@pytest.mark.parametrize(
    "render",
    [
        lambda name: text.render(_hostile(name), Selection()),
        lambda name: markdown.render(_hostile(name), Selection()),
        lambda name: page.render(_hostile(name), Selection()),
        lambda name: data.events_json(_hostile(name)),
        lambda name: standings.markdown(_standing(name)),
        lambda name: "\n".join(standings.text(_standing(name))),
    ],
)
def test_no_name_reaches_the_terminal_as_a_command(name: str, render: Callable[[str], str]) -> None:
    assert all(line.isprintable() for line in render(name).split("\n"))


@_EVERYWHERE
def test_no_name_adds_a_line_to_a_text_or_a_list(name: str) -> None:
    events = _hostile(name)
    assert len(text.render(events, Selection()).splitlines()) == 4
    assert sum(line.startswith("- **") for line in markdown.render(events, Selection()).splitlines()) == 1
    assert len(standings.markdown(_standing(name)).splitlines()) == 7


@_EVERYWHERE
def test_no_name_becomes_markup_or_a_link_in_markdown(name: str) -> None:
    document = markdown.render(_hostile(name), Selection()) + standings.markdown(_standing(name))
    assert not _MARKUP.search(document)
    table = [line for line in standings.markdown(_standing(name)).splitlines() if line.startswith("|")]
    rows = [line.replace(r"\|", "") for line in table]
    assert {row.count("|") for row in rows} == {9}


class _Tags(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@_EVERYWHERE
def test_no_name_changes_the_structure_of_a_page(name: str) -> None:
    harmless, hostile = (_Tags(page.render(_hostile(one), Selection())) for one in ("Kerr", name))
    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert "script" not in hostile.tags


def test_a_page_links_what_was_posted_and_loads_nothing() -> None:
    url = "https://www.ice.gov/doclib/287gMOA/Kerr.pdf"
    posted = event(kind=Kind.CHANGED, changes={"moa_url": (None, url)}, change_classes={"moa_url": "link posted"})
    document = _Tags(page.render([posted], Selection()))
    assert [value for name, value in document.attributes if name in ("href", "src")] == [url]
    assert not {"script", "link", "img", "iframe"} & set(document.tags)
    assert ("name", "viewport") in document.attributes


def test_no_words_of_a_page_are_glued_together() -> None:
    url = "https://www.ice.gov/doclib/287gMOA/Kerr.pdf"
    posted = event(
        kind=Kind.CHANGED, changes={"moa_url": (None, url)}, change_classes={"moa_url": "link posted"}, row=7
    )
    inline = re.sub(r"</?(span|bdi|a|time)\b[^>]*>", "", page.render([posted], Selection()))
    read = " ".join(re.sub(r"<[^>]+>", "|", inline).split())
    assert "CHANGED Kerr County Sheriff's Office (TX)".replace("'", "&#39;") in read
    assert "MOA, row 7, e-000000000001" in read


def test_a_date_is_not_broken_over_two_lines() -> None:
    assert 'signed <span class="whole">2025-05-06</span>' in page.render([event()], Selection())


@pytest.mark.parametrize("render", [text.render, markdown.render, page.render])
def test_every_report_names_the_row_that_shows_it(render: Callable[..., str]) -> None:
    assert "was row 700 of participatingAgencies06262025pm.xlsx" in render([event()], Selection())
    assert "row 12" in render([event(kind=Kind.NEW, row=12)], Selection())


@pytest.mark.parametrize("render", [markdown.render, page.render])
def test_a_document_explains_its_words_and_says_what_it_covers(render: Callable[..., str]) -> None:
    reach = Reach("2025-02-20", "2025-12-12", {ListName.PARTICIPATING: 9})
    told = re.sub("<[^>]+>", "", render([event()], Selection(), reach))
    assert "287(g) report from 2025-02-20 to 2025-12-12" in told
    assert "Covers 9 participating lists" in told
    assert "taken back: ICE listed it again soon" in told


@pytest.mark.parametrize(("left", "cell"), [(("Task Force Model",), '["Task Force Model"]'), ((), "[]"), (None, "")])
def test_programs_are_told_what_is_still_listed(left: tuple[str, ...] | None, cell: str) -> None:
    ended = event(still_listed=left)
    (told,) = json.loads(data.events_json([ended]))["events"]
    assert told["still_listed"] == (None if left is None else list(left))
    header, row = csv.reader(io.StringIO(data.events_csv([ended]), newline=""))
    assert (header[-1], row[-1]) == ("still_listed", cell)


def test_an_empty_page_says_that_nothing_happened() -> None:
    assert "No events." in _Tags(page.render([], Selection())).texts


@_EVERYWHERE
def test_no_name_is_a_formula_in_a_spreadsheet(name: str) -> None:
    for document in (data.events_csv(_hostile(name)), data.standing_csv(_standing(name))):
        header, row = csv.reader(io.StringIO(document, newline=""))
        assert len(header) == len(row)
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert dict(zip(header, row, strict=True))["agency"].removeprefix("'") == name


@_EVERYWHERE
def test_json_gives_names_back_unchanged(name: str) -> None:
    (told,) = json.loads(data.events_json(_hostile(name)))["events"]
    assert told["agency"] == name
    assert json.loads(data.standing_json(_standing(name)))["agreements"][0]["agency"] == name


def test_json_has_the_columns_of_the_public_view_and_no_internal_number() -> None:
    document = json.loads(data.events_json([event(changes={"signed_on": ("2025-05-06", None)})]))
    assert document["schema"] == 1
    (told,) = document["events"]
    assert {"event_id", "agreement_id", "workbook_sha256", "previous_row", "status_note"} <= told.keys()
    assert not {"sequence", "id"} & told.keys()
    assert told["changes"] == {"signed_on": ["2025-05-06", None]}


def test_what_is_empty_is_still_a_document() -> None:
    assert json.loads(data.events_json([])) == {"schema": 1, "events": []}
    assert data.events_csv([]).startswith("event_id,kind,status,")
    assert data.events_csv([]).count("\r\n") == 1


def test_columns_line_up_with_numbers_to_the_right() -> None:
    assert tables.text([("Texas", 1234, "x"), ("Guam", 7, "")]) == ["Texas  1,234  x", "Guam       7"]
