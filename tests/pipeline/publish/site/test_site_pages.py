"""The pages of a small history: valid, whole, linked, and saying what the commands say."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from db.connect import open_readonly
from db.records import Kind
from pipeline.publish.exports.tables import TABLES
from pipeline.publish.site import model
from pipeline.publish.site import pages as site_pages
from pipeline.publish.site.rendering import Renderer, Settings
from tests.db.histories import History
from tests.pipeline.publish.site import sites
from tests.pipeline.publish.site.sites import HOSTILE, broken, built, faults, links, pages, read, text
from tests.pipeline.reports import story

KERR = "tx-kerr-conty-sheriffs-office"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sites.write(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def site(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "public"
    built(database, folder, contact="desk@example.org")
    return folder


def test_every_page_is_valid_html(site: Path) -> None:
    assert len(pages(site)) > 100
    assert {str(page): faults(page) for page in pages(site) if faults(page)} == {}


def test_every_link_inside_leads_somewhere(site: Path) -> None:
    assert broken(site) == []


def test_links_are_relative_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in pages(site):
        for tag, attributes in read(page).tags:
            assert tag not in ("script", "iframe", "img", "object", "embed", "style")
            assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert not any(address.startswith(("/", "file:")) for address in links(page))


def test_the_front_page_says_what_stats_says(site: Path, database: Path) -> None:
    stats = json.loads(story.run(database, "stats", "--format", "json").output)
    told = text(site / "index.html")
    states = f"{stats['states']} states" if stats["states"] != 1 else "1 state"
    assert (
        f"{stats['agreements']} agreements on ICE’s list with {stats['agencies']} agencies in {states} and 1 territory"
        in told
    )
    for one in stats["by"]["model"]:
        assert re.search(
            rf"{one['value']} .*?{one['agreements']} {100 * one['agreements'] / stats['agreements']:.1f}%", told
        )
    for one in stats["by"]["year"]:
        assert f"{one['value']} {one['agreements']} " in told
    for one in stats["by"]["state"]:
        assert f"{one['value']} {one['agreements']} " in told


def test_the_latest_changes_are_told_and_the_map_says_its_numbers(site: Path) -> None:
    told = text(site / "index.html")
    assert "Latest changes" in told
    tiles = {
        attributes["aria-label"] for tag, attributes in read(site / "index.html").tags if "aria-label" in attributes
    }
    assert {"TX 1, Texas", "GU 1, Guam"} <= tiles


def test_the_same_pages_are_there_in_spanish(site: Path) -> None:
    english = {page.relative_to(site) for page in pages(site) if "es" not in page.relative_to(site).parts}
    spanish = {page.relative_to(site / "es") for page in pages(site / "es")}
    assert english - spanish == {Path("404.html")}
    assert spanish <= english
    assert "acuerdos en la lista de ICE" in text(site / "es" / "index.html")
    assert {attributes.get("lang") for tag, attributes in read(site / "es" / "index.html").tags if tag == "html"} == {
        "es"
    }


def test_each_page_names_the_same_in_the_other_language(site: Path) -> None:
    page = site / "es" / "agency" / KERR / "index.html"
    found = {a["hreflang"]: a["href"] for tag, a in read(page).tags if tag == "link" and "hreflang" in a}
    assert found == {
        "en": f"../../../agency/{KERR}/index.html",
        "es": f"../../../es/agency/{KERR}/index.html",
    }


def test_an_agency_has_its_names_its_place_its_timeline_and_its_evidence(site: Path, database: Path) -> None:
    told = text(site / "agency" / KERR / "index.html")
    assert "Kerr County Sheriff's Office" in told
    assert "ICE also listed it as “Kerr Conty Sheriffs Office”" in told
    assert "Kerr County, Texas · FIPS 48265" in told
    assert "Spelling corrected: from “Kerr Conty Sheriffs Office” to “Kerr County Sheriff's Office”" in told
    event = json.loads(story.run(database, "report", "--state", "TX", "--kind", "new", "--format", "json").output)[
        "events"
    ][0]
    assert f"row {event['row']} of {event['workbook_name']}, published March 11, 2025" in told
    assert event["workbook_sha256"] in told
    assert f"watch287g cite {event['agreement_id']} --on " in told


def test_what_stood_on_the_first_list_says_so(site: Path) -> None:
    told = text(site / "agency" / "fl-alachua-county-sheriffs-office" / "index.html")
    assert "On the first list that this record has of it" in told


def test_an_application_leads_to_its_agreement(site: Path) -> None:
    page = site / "agency" / "fl-polk-county-sheriffs-office" / "index.html"
    told = text(page)
    assert "Application: Task Force Model" in told
    assert "Signed; left the pending list by" in told
    assert "The agreement that came of it" in told


def test_an_application_that_was_signed_late_says_so(database: Path) -> None:
    with closing(open_readonly(database)) as connection:
        whole = model.read(connection)
    polk = next(one for one in whole.agencies if one.id == "fl-polk-county-sheriffs-office")
    (application,) = polk.applications
    note = "pending since 2025-03-04; left the list on 2025-03-06, not signed in the 30 days since"
    left = replace(application, events=(story.event(kind=Kind.WITHDRAWN, note=note),))
    agency = replace(polk, timelines=(*polk.agreements, left))
    told = Renderer("en", Settings()).render(site_pages._agency(agency, whole, Renderer("en", Settings()))).decode()

    assert '<p class="what">Left the pending list</p>' in told
    assert "not signed in the 30 days since; signed later: agreement " in told
    (signed,) = polk.agreements
    link = f'<a href="../{polk.id}/index.html#{signed.agreement_id}">{signed.agreement_id}</a>'
    assert f"{link}, first listed on March 5, 2025" in told
    page = site_pages._agency(polk, whole, Renderer("en", Settings()))
    assert page.values["signed_later"] == {}


def test_an_end_that_one_list_shows_is_never_told_as_a_fact(tmp_path: Path) -> None:
    site = tmp_path / "site"
    built(sites.write(tmp_path / "history", *story.LISTS), site)
    levy = text(site / "agency" / "fl-levy-county-sheriffs-office" / "index.html")
    assert "Missing from ICE’s latest list (March 9, 2025); not yet borne out by a second list." in levy
    assert "No longer listed (provisional)" in levy
    assert "No agreement of this agency is on ICE’s list now" not in levy
    spanish = text(site / "es" / "agency" / "fl-levy-county-sheriffs-office" / "index.html")
    assert "Ausente de la última lista de ICE (9 de marzo de 2025); una segunda lista aún no lo confirma." in spanish
    assert "Ya no figura en la lista (provisional)" in spanish
    for page in ("changes/2025-03", "state/fl", "state/fl/changes"):
        assert "No longer listed (provisional) 1" in text(site / page / "index.html")
        assert "Ya no figuran en la lista (provisional) 1" in text(site / "es" / page / "index.html")
    state = text(site / "state" / "fl" / "index.html")
    assert "not yet borne out by a second list. Levy County Sheriff's Office Missing from the list of March" in state


def test_an_end_that_a_second_list_bore_out_is_told_as_one(site: Path) -> None:
    lee = text(site / "agency" / "fl-lee-county-sheriffs-office" / "index.html")
    assert "No agreement of this agency is on ICE’s list now" in lee
    assert "No longer listed since " in lee
    assert "(provisional)" not in lee
    assert "that list had no other agreement of this agency" in lee
    leon = text(site / "agency" / "fl-leon-county-sheriffs-office" / "index.html")
    assert "No longer listed (taken back)" in leon


@pytest.mark.parametrize(
    ("basis", "english", "spanish"),
    [
        ("statewide", "Statewide, Wyoming", "De alcance estatal, Wyoming"),
        ("several", "Several counties, Wyoming", "Varios condados, Wyoming"),
        ("unknown", "County not known, Wyoming", "Condado desconocido, Wyoming"),
    ],
)
def test_a_place_without_a_county_begins_as_a_sentence(basis: str, english: str, spanish: str) -> None:
    agency = model.Agency("wy-one", "WY", "One", (), "State Agency", None, None, basis, ())
    assert Renderer("en", Settings()).place(agency) == english
    assert Renderer("es", Settings()).place(agency) == spanish


def test_the_data_page_says_what_a_row_is_and_how_to_read_it(site: Path) -> None:
    english, spanish = text(site / "data.html"), text(site / "es" / "data.html")
    assert "Open watch287g.xlsx first" in english
    assert "Abra primero watch287g.xlsx" in spanish
    for table in TABLES:
        assert f"{table.name} Each row is " in english
        assert f"{table.name} Cada fila es " in spanish
    for told in (english, spanish):
        assert "CC0 1.0" in told
        assert "FIPS" in told
    assert "works of the United States government" in english
    assert "has an apostrophe before it" in english


def test_what_was_taken_back_is_in_the_log_and_marked_where_it_was_told(site: Path) -> None:
    assert "Leon County Sheriff's Office" in text(site / "corrections" / "index.html")
    assert "listed again on" in text(site / "corrections" / "index.html")
    assert "Told, and taken back since" in text(site / "changes" / "2025-03" / "index.html")
    page = (site / "agency" / "fl-leon-county-sheriffs-office" / "index.html").read_text(encoding="utf-8")
    assert 'class="retracted"' in page


def test_an_old_name_of_an_agency_leads_to_it(site: Path) -> None:
    page = site / "agency" / "tx-kerr-county-sheriffs-office" / "index.html"
    assert f"../../agency/{KERR}/index.html" in set(links(page))
    source = page.read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh"' in source
    assert '<link rel="canonical"' in source


def test_a_hostile_name_is_only_a_text(site: Path) -> None:
    shown = [page for page in pages(site) if HOSTILE in text(page)]
    assert len(shown) > 8
    assert all("alert('x')" not in page.read_text(encoding="utf-8") for page in pages(site))


def test_a_document_elsewhere_is_not_linked(site: Path) -> None:
    assert not [address for page in pages(site) for address in links(page) if "evil" in address]


def test_feeds_and_data_are_linked(site: Path) -> None:
    head = {a["href"] for tag, a in read(site / "state" / "tx" / "index.html").tags if tag == "link"}
    assert {"../../feeds/all.atom", "../../feeds/all.json", "../../feeds/tx.atom"} <= head
    assert {"data/agreements.csv", "data/datapackage.json"} <= set(links(site / "data.html"))
    assert "../data/agreements.csv" in set(links(site / "es" / "data.html"))


def test_a_contact_is_linked(site: Path) -> None:
    assert "mailto:desk@example.org" in set(links(site / "index.html"))


def test_with_an_address_there_are_canonical_links_a_sitemap_and_robots(database: Path, tmp_path: Path) -> None:
    built(database, tmp_path / "site", url="https://example.org/287g/")
    page = tmp_path / "site" / "state" / "tx" / "index.html"
    found = [a["href"] for tag, a in read(page).tags if tag == "link" and a["rel"] in ("canonical", "alternate")]
    assert found[:3] == [
        "https://example.org/287g/state/tx/",
        "https://example.org/287g/state/tx/",
        "https://example.org/287g/es/state/tx/",
    ]
    sitemap = (tmp_path / "site" / "sitemap.xml").read_text(encoding="utf-8")
    assert "<loc>https://example.org/287g/es/state/tx/</loc>" in sitemap
    assert "tx-kerr-county-sheriffs-office" not in sitemap
    assert "404" not in sitemap
    assert "Sitemap: https://example.org/287g/sitemap.xml" in (tmp_path / "site" / "robots.txt").read_text()
    assert broken(tmp_path / "site") == []
    missing = set(links(tmp_path / "site" / "404.html"))
    assert "https://example.org/287g/site.css" in missing


def test_one_language_stands_alone_at_the_root(database: Path, tmp_path: Path) -> None:
    built(database, tmp_path / "site", languages=("es",), title="Registro")
    assert not (tmp_path / "site" / "es").exists()
    assert "acuerdos en la lista de ICE" in text(tmp_path / "site" / "index.html")
    assert not [a for tag, a in read(tmp_path / "site" / "index.html").tags if "hreflang" in a]
    assert broken(tmp_path / "site") == []


def test_a_history_without_a_list_makes_a_site_too(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    built(tmp_path / "history.db", tmp_path / "site")
    assert "The history has no list yet." in text(tmp_path / "site" / "index.html")
    assert {str(page): faults(page) for page in pages(tmp_path / "site") if faults(page)} == {}
