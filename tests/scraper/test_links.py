"""No list is lost because ICE changed how it links it, and no other file is taken for a list."""

from __future__ import annotations

import pytest

from scraper.fetched import Link, Totals
from scraper.links import read_page

ICE = "https://www.ice.gov/identify-and-arrest/287g"
FOLDER = "https://www.ice.gov/doclib/about/offices/ero/287g/"
PARTICIPATING, PENDING = "View 287(g) Participating Agencies", "View 287(g) Pending Agencies"


def links_of(html: str, url: str = ICE) -> tuple[Link, ...]:
    return read_page(f"<html><body>{html}</body></html>", url)[0]


def anchor(href: str, text: str = PARTICIPATING) -> str:
    return f'<a href="{href}">{text}</a>'


@pytest.mark.parametrize(
    ("href", "url"),
    [
        (
            "/doclib/about/offices/ero/287g/participatingAgencies06272025am.xlsx",
            f"{FOLDER}participatingAgencies06272025am.xlsx",
        ),
        (f"{FOLDER}participatingAgencies.xlsx", f"{FOLDER}participatingAgencies.xlsx"),
        (f"{FOLDER}participatingAgencies04012025_b.xlsx", f"{FOLDER}participatingAgencies04012025_b.xlsx"),
        (f"{FOLDER}ParticipatingAgency03172025B.xlsx", f"{FOLDER}ParticipatingAgency03172025B.xlsx"),
        (f"{FOLDER}287gparticipatingAgencies112625mid2.xlsx", f"{FOLDER}287gparticipatingAgencies112625mid2.xlsx"),
        (f"{FOLDER}participating Agencies 1-5-26 3pm.xlsx", f"{FOLDER}participating%20Agencies%201-5-26%203pm.xlsx"),
        (f"{FOLDER}participating%20Agencies.xlsx", f"{FOLDER}participating%20Agencies.xlsx"),
        (f"{FOLDER}participatingAgencies.XLSX?v=2&amp;t=1", f"{FOLDER}participatingAgencies.XLSX?v=2&t=1"),
        ("//www.ice.gov/doclib/p.xlsx#sheet", "https://www.ice.gov/doclib/p.xlsx"),
        ("  ../doclib/p.xlsx\n", "https://www.ice.gov/doclib/p.xlsx"),
        ("/file-download/download/public/123456", "https://www.ice.gov/file-download/download/public/123456"),
        ("/file-download/download/public/123456?x=1", "https://www.ice.gov/file-download/download/public/123456?x=1"),
    ],
)
def test_every_way_that_ice_has_linked_a_list_is_found(href: str, url: str) -> None:
    assert links_of(anchor(href)) == (Link(url, PARTICIPATING, "participating", known_shape=True),)


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/doclib/287g/list06272025.xlsx", "Download"),
        ("/doclib/287g/287gMOAs.xlsx", "Excel list of all signed MOAs"),
        ("/file-download/download/public/77", "Download the list (XLSX)"),
    ],
)
def test_a_workbook_with_a_name_never_seen_before_is_not_lost(href: str, text: str) -> None:
    assert [link.known_shape for link in links_of(anchor(href, text))] == [True]


def test_a_bare_download_link_belongs_to_the_row_it_stands_in() -> None:
    (link,) = links_of(
        f"<table><tr><td>Pending agencies</td><td>{anchor('/file-download/download/public/9', 'Download')}</td></tr>"
    )

    assert link.list_hint == "pending"


@pytest.mark.parametrize(
    "href",
    [
        "/doclib/287g/participatingAgencies.csv",
        "/doclib/287g/participatingAgencies.xls",
        "/doclib/287g/participatingAgencies06272025.pdf",
        "/media/4711/download?inline",
        "/file-download/v2/4711",
    ],
)
def test_a_list_behind_an_address_of_no_known_kind_is_reported_not_ignored(href: str) -> None:
    assert [link.known_shape for link in links_of(anchor(href))] == [False]


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/doclib/287g/JEM_MOA_Template.pdf", "Jail Enforcement Model MOA template"),
        ("/doclib/287g/moaTemplate.xlsx", "MOA template"),
        ("/doclib/factsheets/287g.pdf", "287(g) Fact Sheet"),
        ("/doclib/287g/participatingAgencyMOA_template.pdf", "MOA template for participating agencies"),
        ("/file-download/download/public/5", "Task Force Model Memorandum of Agreement"),
        ("/identify-and-arrest/287g/apply", "Become a participating agency"),
        ("#participating", PARTICIPATING),
        ("mailto:participating.xlsx@example.org", PARTICIPATING),
        ("javascript:void(0)", PARTICIPATING),
        ("http://[broken/participating.xlsx", PARTICIPATING),
    ],
)
def test_other_links_of_the_page_are_not_lists(href: str, text: str) -> None:
    assert links_of(anchor(href, text)) == ()


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("a.xlsx", PARTICIPATING, "participating"),
        ("a.xlsx", PENDING, "pending"),
        ("pendingAgencies09222025pm.xlsx", "Download", "pending"),
        ("pendingAgencies09222025pm.xlsx", PARTICIPATING, "participating"),
        ("a.xlsx", "Participating and pending agencies", None),
        ("a.xlsx", "Download", None),
    ],
)
def test_the_hint_is_what_the_reader_is_told(name: str, text: str, hint: str | None) -> None:
    (link,) = links_of(anchor(f"/doclib/{name}", text))

    assert link.list_hint == hint


def test_an_icon_and_its_caption_are_one_link_and_the_order_of_the_page_is_kept() -> None:
    html = (
        anchor("/a.xlsx", "<img src=x.png>")
        + anchor("/b.xlsx", PENDING)
        + anchor("/a.xlsx#top", "<b>Participating</b> agencies")
    )

    assert [(link.url, link.text) for link in links_of(html)] == [
        ("https://www.ice.gov/a.xlsx", "Participating agencies"),
        ("https://www.ice.gov/b.xlsx", PENDING),
    ]


def test_a_base_element_moves_relative_links() -> None:
    html = f'<html><head><base href="/doclib/"></head><body>{anchor("p.xlsx")}</body></html>'

    assert read_page(html, ICE)[0][0].url == "https://www.ice.gov/doclib/p.xlsx"


def test_a_base_element_that_is_no_address_moves_nothing() -> None:
    html = f'<html><head><base href="http://[x"></head><body>{anchor("/p.xlsx")}</body></html>'

    assert read_page(html, ICE)[0][0].url == "https://www.ice.gov/p.xlsx"


def test_broken_html_and_a_commented_out_link_are_read_as_a_browser_would() -> None:
    html = f"<!-- {anchor('/old.xlsx')} --><p><div><a href=/new.xlsx class=x>Participating<table><tr>"

    assert [link.url for link in links_of(html)] == ["https://www.ice.gov/new.xlsx"]


def test_bytes_that_are_no_utf_8_are_read_all_the_same() -> None:
    assert read_page(b"\xff<a href='/p.xlsx'>Participating\xa0Agencies</a>", ICE)[0][0].list_hint == "participating"


@pytest.mark.parametrize("html", ["", " ", "<html></html>", b"", b"\0\0"])
def test_an_empty_page_has_neither_links_nor_totals(html: str | bytes) -> None:
    assert read_page(html, ICE) == ((), None)


JEM, WSO, TFM = "Jail Enforcement Model", "Warrant Service Officer", "Task Force Model"


@pytest.mark.parametrize(
    ("prose", "totals"),
    [
        (
            "On May 5, 2026, ICE has signed 1,372 Memorandums of Agreement covering 40 states and 2 U.S. territories.",
            Totals(1372, 40, 2, {}),
        ),
        (
            "ICE has signed <strong>635</strong>&nbsp;Memorandums\n of&nbsp;Agreement covering <b>40</b>&nbsp;states.",
            Totals(635, 40, None, {}),
        ),
        (
            (
                "ICE has signed 635 MOAs. These are 100 Jail Enforcement Model (JEM) partnerships in 25 states, "
                "228 Warrant Service Officer (WSO) agreements and 1,307 Task Force Model (TFM) agreements in 30 states."
            ),
            Totals(635, None, None, {JEM: 100, WSO: 228, TFM: 1307}),
        ),
        (
            "<table><tr><td>Jail Enforcement Model<td>150<tr><td>Warrant Service Officer<td>400<tr><td>TFM<td>1,600",
            Totals(None, None, None, {JEM: 150, WSO: 400, TFM: 1600}),
        ),
        (
            "<ul><li>JEM: 150 MOAs in 27 states</li><li>TFM: 600 in 30 states</li></ul>",
            Totals(None, None, None, {JEM: 150, TFM: 600}),
        ),
        ("The 287(g) Task Force Model began in 1996. ICE has 3 models in 40 states.", None),
        ("<script>ICE has signed 5 Memorandums of Agreement</script>", None),
        ("Nothing of the kind.", None),
    ],
)
def test_the_totals_are_what_the_page_prints_and_nothing_is_guessed(prose: str, totals: Totals | None) -> None:
    assert read_page(f"<html><body><p>{prose}</p></body></html>", ICE)[1] == totals
