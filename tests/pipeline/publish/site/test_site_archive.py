"""The site of the real archive: its numbers, its sizes, and that nothing is written twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.archive import needs_archive
from tests.pipeline.publish.site import sites
from tests.pipeline.publish.site.sites import broken, built, faults, pages, stamps, text
from tests.pipeline.reports import story
from tests.pipeline.test_backfill import whole  # noqa: F401 - a fixture

pytestmark = needs_archive


@pytest.fixture(scope="module")
def site(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    folder = tmp_path_factory.mktemp("site") / "public"
    built(whole / "history.db", folder)
    return folder


def test_the_front_page_has_the_numbers_of_stats(site: Path, whole: Path) -> None:  # noqa: F811
    stats = json.loads(story.run(whole / "history.db", "stats", "--format", "json").output)
    told = text(site / "index.html")
    spanish = text(site / "es" / "index.html")

    assert stats["agreements"] == 1245
    assert "1,245 agreements on ICE’s list with 1,033 agencies in 39 states and 1 territory" in told
    assert "1,245 acuerdos en la lista de ICE con 1,033 agencias en 39 estados y 1 territorio" in spanish
    for one in stats["by"]["model"]:
        share = f"{100 * one['agreements'] / stats['agreements']:.1f}"
        assert f" {one['agreements']} {share}%" in told
        assert f" {one['agreements']} {share} %" in spanish
    for one in stats["by"]["year"]:
        assert f"{one['value']} {one['agreements']:,} " in told
        assert f" {one['ever']:,} " in told
    for one in stats["by"]["state"]:
        assert f"{one['value']} {one['agreements']:,} {100 * one['agreements'] / stats['agreements']:.1f}%" in told


def test_the_curve_ends_where_stats_does(site: Path) -> None:
    told = text(site / "index.html")
    assert re.search(r"All models: \d+ on February 21, 2025, 1,245 on December 12, 2025\.", told)


def test_no_page_is_larger_than_100_kb(site: Path) -> None:
    sizes = {str(page.relative_to(site)): page.stat().st_size for page in pages(site)}
    assert len(sizes) > 2_300
    assert {name: size for name, size in sizes.items() if size >= 100_000} == {}


def test_a_sample_of_the_pages_is_valid_html(site: Path) -> None:
    some = [*pages(site)[::50], site / "index.html", site / "es" / "state" / "fl" / "index.html"]
    assert {str(page): faults(page) for page in some if faults(page)} == {}


def test_every_link_inside_leads_somewhere(site: Path) -> None:
    assert broken(site) == []


def test_nothing_is_written_again(site: Path, whole: Path) -> None:  # noqa: F811
    before = stamps(site)
    again = sites.built(whole / "history.db", site)

    assert (again.written, again.removed) == (0, 0)
    assert stamps(site) == before


def test_no_note_is_left_in_english_on_a_spanish_page(site: Path) -> None:
    assert not [page for page in pages(site / "es") if '<span lang="en">' in page.read_text(encoding="utf-8")]
