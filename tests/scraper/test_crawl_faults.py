"""Servers and networks at their worst: a crawl ends in time, in values, and holds no more than it may."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from synthetic import WORKBOOK, page

from pipeline.demo import server
from pipeline.demo.server import Answer, Behaviour, Site
from scraper.crawl import crawl, start
from scraper.fetched import Result
from scraper.settings import CrawlSettings

Settings = Callable[..., CrawlSettings]

TWO_GIGABYTES = 2 * 1024**3

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures processes as Linux counts them")


@pytest.fixture
def two_gigabytes(tmp_path: Path) -> Iterator[mmap.mmap]:
    """So many zeros, which take no room on the disk."""
    with (tmp_path / "zeros").open("w+b") as file:
        file.truncate(TWO_GIGABYTES)
        zeros = mmap.mmap(file.fileno(), TWO_GIGABYTES, access=mmap.ACCESS_READ)
        yield zeros


def test_a_byte_a_second_is_no_answer_in_time(site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_DRIP_SECONDS", 1.0)
    site.pages["/287g"] = page("/p.xlsx")
    site.pages["/p.xlsx"] = Answer(body=WORKBOOK, behaviour=Behaviour.drip)

    begun = time.monotonic()
    fetched = crawl(settings(timeout_seconds=2.5, retries=0))

    assert [one.result for one in fetched] == [Result.ok, Result.timeout]
    assert fetched[1].message == "no whole answer in time"
    assert time.monotonic() - begun < 15


def test_a_host_that_no_name_server_knows_is_told_at_once(settings: Settings) -> None:
    settings_there = settings(page_url="http://287g.invalid/287g", allowed_hosts=("287g.invalid",), retries=3)

    (fetched,) = crawl(settings_there)

    assert (fetched.result, fetched.message) == (Result.refused, "no such host, or no network")


def test_ten_redirects_are_too_many(site: Site, settings: Settings) -> None:
    for hop in range(10):
        site.pages[f"/hop{hop}"] = Answer(302, {"Location": f"/hop{hop + 1}"})
    site.pages["/hop10"] = page("/p.xlsx")
    site.pages["/287g"] = Answer(302, {"Location": "/hop0"})

    (fetched,) = crawl(settings())

    assert (fetched.result, fetched.url) == (Result.http_error, site.url + "/287g")
    assert "max redirections" in fetched.message
    assert [len(site.asked_for(f"/hop{hop}")) for hop in (0, 4, 5, 10)] == [1, 1, 0, 0]


def test_a_server_that_speaks_no_tls_is_refused(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = page("/p.xlsx")

    (fetched,) = crawl(settings(page_url=site.url.replace("http:", "https:") + "/287g", retries=0))

    assert fetched.result is Result.refused
    assert "SSL" in fetched.message or "tls" in fetched.message.lower()
    assert "\n" not in fetched.message
    assert not site.requests


PEAK = """
    import resource, sys
    from scraper.crawl import crawl
    from scraper.settings import CrawlSettings
    for address in sys.argv[1:]:
        fetched = crawl(CrawlSettings(page_url=address, allowed_hosts=("127.0.0.1",), user_agent="t", delay_seconds=0,
                                      retries=0))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(*(one.result for one in fetched), peak // 1024)
"""


@linux
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("what", ["page", "workbook"])
def test_two_gigabytes_are_not_taken_and_take_no_memory(
    site: Site, two_gigabytes: mmap.mmap, what: str, *, declared: bool
) -> None:
    site.pages |= {"/usual": page("/p.xlsx"), "/p.xlsx": Answer(body=WORKBOOK), "/large": page("/large.xlsx")}
    # With a length among its headers, what is called undeclared is declared.
    length = {"Content-Length": str(TWO_GIGABYTES)} if declared else {}
    site.pages["/large" if what == "page" else "/large.xlsx"] = Answer(
        headers=length,
        body=two_gigabytes,  # type: ignore[arg-type]  # as good as bytes to a socket
        behaviour=Behaviour.undeclared,
    )

    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PEAK), site.url + "/usual", site.url + "/large"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    (*_, usual), (*results, peak) = (line.split() for line in ended.stdout.splitlines())
    assert results == (["too_large"] if what == "page" else ["ok", "too_large"])
    # A workbook may have 20 MB, which are there twice while the pieces are put together.
    assert int(peak) - int(usual) < 64


@linux
def test_a_process_that_stands_still_is_ended_at_the_limit(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)

    begun = time.monotonic()
    with start(settings(hard_limit_seconds=3.0)) as running:
        assert site.wait_for("/287g")
        os.kill(running.pid, signal.SIGSTOP)
        (fetched,) = running.wait()

    assert time.monotonic() - begun < 8
    assert (fetched.result, fetched.message) == (Result.crawl_failed, "not done within the crawl's limit of 3 s")
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)
