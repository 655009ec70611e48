"""`watch287g serve` in a real browser: a facet, a search, a query, an agreement's page; nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import example
from tests.pipeline.publish.browse.test_serve_command import serving

pytest.importorskip("datasette")
pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(example.write(tmp_path_factory.mktemp("example"))) as (_, address):
        yield address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """The front page; whatever is asked for, it is this server that is asked, and no script fails."""
    asked: list[str] = []
    wrong: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        page = browser.new_page()
        page.on("request", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        yield page
        browser.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_a_facet_narrows_what_is_shown(page: Page) -> None:
    page.get_by_role("link", name="current_agreements").click()
    page.locator(".facet-results").get_by_role("link", name="GA", exact=True).click()

    expect(page.get_by_role("heading", level=2).first).to_have_text('6 rows where state = "GA"')
    expect(page.locator(".facet-info[data-column=state]")).to_have_count(1)
    page.locator("th[data-column=state] svg").click()
    expect(page.get_by_role("link", name="Facet by this")).to_be_hidden()


def test_the_rows_are_seen_before_what_explains_them(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}history/current_agreements")

    expect(page.get_by_text("Postal code of the state or territory")).to_be_hidden()
    expect(page.locator("td.col-agency").nth(3)).to_be_in_viewport(ratio=1)
    expect(page.locator("#facet-state")).to_be_in_viewport()
    page.get_by_text(re.compile("What the .. columns mean")).click()
    expect(page.get_by_text("Postal code of the state or territory")).to_be_visible()


OWN = ("agency/fl-brevard-county-sheriffs-office", "history/agencies", "history/current_agreements", "history/gaps", "")


@pytest.mark.parametrize("path", OWN)
def test_a_page_is_as_wide_as_a_phone(page: Page, address: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{address}{path}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_until_when_an_agreement_was_listed_is_seen_at_once(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}agency/fl-brevard-county-sheriffs-office")
    expect(page.locator("td.col-valid_to").first).to_be_in_viewport(ratio=1)
    page.locator("td.col-agreement_id a").first.click()
    expect(page.locator("td.col-valid_to").first).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 390, "height": 900})
    shown = page.locator("td.col-valid_to").first.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert shown == '"Until"'


def test_a_search_leads_to_an_agency_and_its_agreement(page: Page) -> None:
    page.get_by_label("Find an agency").fill("hall georgia")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="ga-hall-county-sheriffs-office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hall County Sheriff's Office, Georgia")
    page.get_by_role("link", name="a-40004f7c31").first.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Warrant Service Officer")
    expect(page.get_by_role("heading", name="Evidence: its first and last rows")).to_be_visible()
    page.locator("td.col-workbook_sha256 a").first.click()
    expect(page.get_by_role("heading", name="What became of it")).to_be_visible()
    expect(page.locator("td.col-verdict").first).to_have_text("accepted")


def test_a_query_takes_other_values(page: Page) -> None:
    page.get_by_role("link", name="Who was listed in a state on a day?", exact=True).click()
    expect(page.locator("td.col-agency")).to_have_count(18)
    expect(page.get_by_label("state")).to_have_value("FL")
    page.get_by_label("state").fill("TX")
    page.get_by_label("day").fill("2025-06-15")
    page.get_by_role("button", name="Run SQL").click()

    expect(page.locator("td.col-agency")).to_have_text(["Kerr County Sheriff's Office"])
    expect(page.locator("td.col-support_model")).to_have_text(["Jail Enforcement Model"])


def test_sql_can_be_typed_in(page: Page, address: str) -> None:
    page.goto(f"{address}history?sql=select+count(*)+as+number+from+current_agreements")

    expect(page.locator("td.col-number")).to_have_text("26")
    expect(page.locator(".CodeMirror")).to_be_visible()
