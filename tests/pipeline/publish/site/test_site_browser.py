"""The pages in a real browser: nothing that keeps anybody out, and no page that scrolls sideways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.publish.site import sites

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
KINDS = (
    "index.html",
    "state/fl/index.html",
    "state/fl/changes/index.html",
    "agency/tx-kerr-conty-sheriffs-office/index.html",
    "agency/fl-leon-county-sheriffs-office/index.html",
    "agencies/index.html",
    "agencies/l/index.html",
    "changes/index.html",
    "changes/2025-03/index.html",
    "corrections/index.html",
    "data.html",
    "method.html",
)
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    sites.built(sites.write(folder / "history"), folder / "public")
    return folder / "public"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield running
        running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Path, browser: Any, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    found = {}
    for name in (*KINDS, *(f"es/{kind}" for kind in KINDS), "404.html"):
        page.goto((site / name).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        if violations := Axe().run(page).response["violations"]:
            found[name] = [(one["id"], one["nodes"][0]["html"]) for one in violations]
    context.close()
    assert found == {}


def test_no_page_scrolls_sideways_on_a_small_phone(site: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    found = {}
    for name in (*KINDS, *(f"es/{kind}" for kind in KINDS)):
        page.goto((site / name).as_uri())
        found[name] = page.evaluate(_SIDEWAYS)
    context.close()
    assert {name: by for name, by in found.items() if by > 0} == {}


def test_a_keyboard_reaches_the_content_first(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_an_old_name_leads_on_without_scripts(site: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "agency" / "tx-kerr-county-sheriffs-office" / "index.html").as_uri())
    page.wait_for_url("**/agency/tx-kerr-conty-sheriffs-office/index.html")
    context.close()
