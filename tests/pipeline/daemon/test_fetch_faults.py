"""What a check makes of each way in which a fetch can fail: one failure, told by its kind, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import run
from pipeline.demo.server import Site
from pipeline.derive import Historian
from pipeline.notify.affairs import current
from tests.certificate import self_signed
from tests.db.histories import COUNTIES, Posted, rows
from tests.failures import FAILURES, MOST_PAGE_BYTES, MOST_WORKBOOK_BYTES, Elsewhere, Failure
from tests.forked_crawl import Zygote
from tests.pipeline.demo.watched import PAGE, Watched, address, cleared, local_site, post

pytestmark = pytest.mark.skipif(not hasattr(os, "waitid"), reason="forks its crawls")

LISTS = (Posted("participating", 0, rows(*COUNTIES[:40])), Posted("pending", 0, rows(*COUNTIES[40:44])))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with local_site() as running:
        yield running


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose certificate nobody vouches for."""
    with Site() as running:
        running.encrypt(self_signed(tmp_path_factory.mktemp("certificate")))
        yield running


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote(lambda: datetime.now(UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def baseline(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history that knows the lists."""
    folder = tmp_path_factory.mktemp("baseline")
    post(cleared(site), *LISTS)
    with Watched(folder, site) as history:
        history.check()
    return folder


@pytest.fixture
def watched(baseline: Path, site: Site, tmp_path: Path) -> Iterator[Watched]:
    shutil.copytree(baseline, tmp_path / "history")
    post(cleared(site), *LISTS)
    with Watched(tmp_path / "history", site) as history:
        history._settings = replace(
            history._settings, max_page_bytes=MOST_PAGE_BYTES, max_workbook_bytes=MOST_WORKBOOK_BYTES
        )
        yield history


def check(watched: Watched, zygote: Zygote) -> run.Checked:
    """One check, whose crawl is forked."""
    historian = Historian(watched.connection, watched._archive, watched._rules)
    return run.check(watched.connection, watched._archive, watched._settings, lambda: historian, start=zygote.start)


def strike(watched: Watched, site: Site, failure: Failure, untrusted: Site) -> None:
    """Have the next checks fail so."""
    if failure.page:
        site.pages |= failure.page(PAGE, site.pages[PAGE])
    if failure.workbook:
        site.pages |= failure.workbook(address(LISTS[0]), site.pages[address(LISTS[0])])
    watched._settings = replace(watched._settings, **failure.settings)
    if failure.elsewhere:
        with Site() as gone:
            nobody = gone.url
        places = {
            Elsewhere.no_such_host: "http://287g.invalid",
            Elsewhere.nobody: nobody,
            Elsewhere.not_trusted: untrusted.url,
        }
        page = places[failure.elsewhere] + PAGE
        watched._settings = replace(watched._settings, page_url=page, allowed_hosts=("127.0.0.1", "287g.invalid"))


def failing(watched: Watched) -> list[str]:
    """The sorts of failure that the operators hear of."""
    found = current(watched.connection, datetime.now(UTC), 26, None)
    return [affair.key for affair in found if affair.key.startswith("failing:")]


@pytest.mark.parametrize("failure", FAILURES, ids=[failure.name for failure in FAILURES])
def test_a_fetch_that_fails_is_one_failure_of_its_kind_and_nothing_else(
    watched: Watched, site: Site, untrusted: Site, zygote: Zygote, failure: Failure
) -> None:
    told, usual = watched.told(), watched._settings
    strike(watched, site, failure, untrusted)

    checked = check(watched, zygote)

    assert checked.outcome == "failed"
    assert "\n" not in checked.message
    assert failing(watched) == [f"failing:{failure.kind}"]
    assert watched.told() == told

    watched._settings = usual
    post(cleared(site), *LISTS)
    assert check(watched, zygote).outcome == "recovered"
    assert failing(watched) == []
    assert watched.told() == told
