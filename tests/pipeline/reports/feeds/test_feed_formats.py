"""Atom and JSON Feed: valid whatever the names are, and the same bytes for the same events."""

from __future__ import annotations

import html as entities
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from db.records import Kind, Status
from pipeline.reports.feeds import atom, json_feed
from pipeline.reports.feeds.entries import SUBTITLE, Entry, Feed, entry, feed
from pipeline.reports.record import LoggedEvent
from tests.pipeline.reports.feeds.validity import ATOM, read_atom, read_json_feed
from tests.pipeline.reports.story import event

HOSTILE = (
    "<script>alert(1)</script>",
    "]]></content><entry>",
    "&lt;b&gt; &#0; &nbsp;",
    '" onmouseover="alert(1)',
    "<!-- --><?php ?>",
    "line\nbreak\r\n\x85\u2028",
    "\x00\x01\x0b\x1b[2J\x7f",
    "\ud800\ufffe\uffff",
    "\u202egnp.exe\u2066",
    "</div></li></ul><h1>",
    "K" * 10_000,
)
_EVERYWHERE = pytest.mark.parametrize("name", HOSTILE)
HOME = "https://example.org/feeds"
MOA = "https://www.ice.gov/doclib/287gMOA/Kerr.pdf"


def _hostile(name: str, url: str | None = None) -> LoggedEvent:
    """An event in which ICE controls every text."""
    return event(
        **dict.fromkeys(("agency", "state", "county", "support_model", "signed_on", "note", "status_note"), name),
        status=Status.RETRACTED,
        workbook_name=f"{name}.xlsx",
        previous_workbook_name=name,
        changes={"agency": (name, name), "moa_url": (name, url)},
        change_classes={"agency": name, "moa_url": "link replaced"},
        still_listed=(name,),
    )


def _feed(*entries: Entry, url: str | None = HOME) -> Feed:
    return feed(None, entries, "2025-03-03", url)


@pytest.fixture
def told() -> tuple[Entry, Entry]:
    later = event(event_id="e-000000000002", kind=Kind.NEW, row=12, detected_at="2025-06-28T14:00:00Z")
    return entry(later, MOA), entry(event())


def test_an_atom_feed_says_what_its_entries_say(told: tuple[Entry, Entry]) -> None:
    root = read_atom(atom.render(_feed(*told)))
    assert root.findtext(f"{ATOM}title") == "287(g) agreements"
    assert root.findtext(f"{ATOM}subtitle") == SUBTITLE
    assert root.findtext(f"{ATOM}author/{ATOM}name") == root.findtext(f"{ATOM}generator") == "watch287g"
    for element, one in zip(root.findall(f"{ATOM}entry"), told, strict=True):
        names = ("id", "title", "published", "updated", "summary", "content")
        assert [element.findtext(f"{ATOM}{name}") for name in names] == [getattr(one, name) for name in names]
        assert element.find(f"{ATOM}content").get("type") == "html"
        terms = [category.get("term") for category in element.findall(f"{ATOM}category")]
        assert terms == [category.term for category in one.categories]


def test_a_json_feed_says_what_its_entries_say(told: tuple[Entry, Entry]) -> None:
    document = read_json_feed(json_feed.render(_feed(*told)))
    assert next(iter(document)) == "version"
    assert document["title"] == "287(g) agreements"
    assert document["description"] == SUBTITLE
    assert document["items"][1] == {
        "id": told[1].id,
        "title": told[1].title,
        "date_published": told[1].published,
        "date_modified": told[1].updated,
        "summary": told[1].summary,
        "content_html": told[1].content,
        "tags": ["Texas", "terminated", "participating list", "Jail Enforcement Model", "confirmed"],
    }


def test_a_feed_links_to_itself_and_its_home_where_it_is_published(told: tuple[Entry, Entry]) -> None:
    root = read_atom(atom.render(_feed(*told)))
    assert [tuple(link.attrib.values()) for link in root.findall(f"{ATOM}link")] == [
        ("self", "application/atom+xml", f"{HOME}/all.atom"),
        ("alternate", "text/html", HOME),
        ("alternate", "application/feed+json", f"{HOME}/all.json"),
    ]
    document = read_json_feed(json_feed.render(_feed(*told)))
    assert (document["home_page_url"], document["feed_url"]) == (HOME, f"{HOME}/all.json")


def test_a_feed_without_an_address_has_no_links(told: tuple[Entry, Entry]) -> None:
    assert read_atom(atom.render(_feed(*told, url=None))).find(f"{ATOM}link") is None
    assert not {"home_page_url", "feed_url"} & set(read_json_feed(json_feed.render(_feed(*told, url=None))))


def test_an_empty_feed_is_valid() -> None:
    assert read_atom(atom.render(_feed())).findtext(f"{ATOM}updated") == "2025-03-03T00:00:00Z"
    assert read_json_feed(json_feed.render(_feed()))["items"] == []


def test_the_same_events_give_the_same_bytes() -> None:
    for render in (atom.render, json_feed.render):
        assert render(_feed(entry(_hostile("<b>")))) == render(_feed(entry(_hostile("<b>"))))


def test_the_checks_of_these_tests_refuse_what_is_wrong(told: tuple[Entry, Entry]) -> None:
    """A schema that lets everything pass would prove nothing."""
    good = atom.render(_feed(*told))
    for wrong in (
        good.replace(b"<updated>2025-06-28T14:00:00Z</updated>", b"", 1),
        good.replace(b"T14:00:00Z</published>", b"</published>"),
        good.replace(b"<summary>", b"<summary><b/>"),
        good.replace(b" term=", b" word="),
        good.replace(b"<generator>", b"<extra/><generator>"),
    ):
        with pytest.raises(etree.DocumentInvalid):
            read_atom(wrong)
    with pytest.raises(AssertionError):
        read_atom(atom.render(_feed(told[0], told[0])))
    with pytest.raises(AssertionError):
        read_atom(atom.render(replace(_feed(*told), updated="2025-01-01T00:00:00Z")))


@_EVERYWHERE
def test_no_name_changes_the_structure_of_a_feed(name: str) -> None:
    harmless, hostile = (read_atom(atom.render(_feed(entry(_hostile(one), one, one)))) for one in ("Kerr", name))
    assert [element.tag for element in hostile.iter()] == [element.tag for element in harmless.iter()]
    items = read_json_feed(json_feed.render(_feed(entry(_hostile(name), name, name))))["items"]
    assert items[0]["content_html"] == hostile.findtext(f"{ATOM}entry/{ATOM}content")


@_EVERYWHERE
def test_no_name_becomes_markup_in_the_content(name: str) -> None:
    harmless, hostile = (html.fromstring(entry(_hostile(one), one, one).content) for one in ("Kerr", name))
    assert [(e.tag, dict(e.attrib)) for e in hostile.iter()] == [(e.tag, dict(e.attrib)) for e in harmless.iter()]


@_EVERYWHERE
def test_every_text_of_an_entry_is_one_line_that_a_terminal_can_show(name: str) -> None:
    told = entry(_hostile(name), name, name)
    assert all(text.isprintable() for text in (told.title, told.summary, told.content))
    assert all(category.term.isprintable() and category.label.isprintable() for category in told.categories)


_ANY_TEXT = st.text(st.characters(), min_size=1)
"""Every character that Python has, surrogates and what XML forbids included."""


@settings(deadline=None)
@given(name=_ANY_TEXT, url=st.none() | st.text() | st.text().map("https://www.ice.gov/{}".format))
def test_a_feed_is_valid_whatever_ice_writes(name: str, url: str | None) -> None:
    made = _feed(entry(_hostile(name, url), url, url))
    content = read_atom(atom.render(made)).findtext(f"{ATOM}entry/{ATOM}content")
    (item,) = read_json_feed(json_feed.render(made))["items"]
    assert item["content_html"] == content
    assert {element.tag for element in html.fromstring(content).iter()} <= {"div", "p", "ul", "li", "a"}
    assert all(link.startswith("http") for _, _, link, _ in html.fromstring(content).iterlinks())


@settings(deadline=None)
@given(name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100))
def test_a_printable_name_comes_out_as_it_went_in(name: str) -> None:
    told = event(agency=name)
    (item,) = json.loads(json_feed.render(_feed(entry(told))))["items"]
    assert item["title"] == f"No longer listed: {name} (TX), Jail Enforcement Model"
    assert entities.escape(name, quote=False) in item["content_html"]


@pytest.mark.parametrize("url", [f"{HOME}/", "http://localhost:8000/a b", "https://example.org/<\u00e9>?a&b='c'"])
def test_a_feed_is_valid_wherever_it_is_published(url: str) -> None:
    made = _feed(entry(event()), url=url)
    read_atom(atom.render(made))
    assert read_json_feed(json_feed.render(made))["feed_url"].endswith("/all.json")
