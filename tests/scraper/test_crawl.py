"""Every fetch ends in a value that says what happened: a failure is never silence, and never taken for "unchanged"."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from synthetic import BLOCK_PAGE, CSV, ENCRYPTED, HTML, PDF, WORKBOOK, XLS, page

from pipeline.demo.server import Answer, Behaviour, Site
from scraper.crawl import crawl
from scraper.fetched import Fetched, Result, Target
from scraper.settings import CrawlSettings, Known, KnownWorkbook

Settings = Callable[..., CrawlSettings]

PARTICIPATING, PENDING = "/doclib/287g/participatingAgencies06272025am.xlsx", "/file-download/download/public/123456"
WORKBOOK_TYPE = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ETAG, MODIFIED = '"5f3-61a"', "Fri, 27 Jun 2025 14:05:11 GMT"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_page_and_its_workbooks_come_back_whole(site: Site, settings: Settings) -> None:
    prose = "ICE has signed 1,036 Memorandums of Agreement covering 40 states and 2 U.S. territories."
    site.pages["/287g"] = page(PARTICIPATING, PENDING, prose=prose)
    site.pages[PARTICIPATING] = Answer(200, {**WORKBOOK_TYPE, "ETag": ETAG, "Last-Modified": MODIFIED}, WORKBOOK)
    site.pages[PENDING] = Answer(
        headers={"Content-Disposition": "attachment; filename=x; filename*=UTF-8''pending%20Agencies.xlsx"},
        body=WORKBOOK,
    )

    came, participating, pending = crawl(settings())

    assert (came.target, came.result, came.status, came.message) == (Target.page, Result.ok, 200, "")
    assert came.totals is not None
    assert (came.totals.agreements, came.totals.states, came.totals.territories) == (1036, 40, 2)
    assert came.links == (participating.link, pending.link)
    assert participating.ok
    assert participating.body == pending.body == WORKBOOK
    assert participating.url == participating.final_url == site.url + PARTICIPATING
    assert participating.headers["etag"] == ETAG
    assert participating.headers["last-modified"] == MODIFIED
    assert participating.fetched_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - participating.fetched_at).total_seconds()) < 60
    assert [one.file_name for one in (participating, pending)] == [
        PARTICIPATING.rpartition("/")[2],
        "pending Agencies.xlsx",
    ]


STATUSES: dict[str, tuple[Answer, Result, str]] = {
    "403": (Answer(403, body=HTML), Result.blocked, "403 Forbidden"),
    "403-bytes": (Answer(403, body=WORKBOOK), Result.blocked, "403 Forbidden"),
    "block-page": (Answer(200, body=BLOCK_PAGE), Result.blocked, "refuses this agent or address"),
    "block-page-503": (Answer(503, body=BLOCK_PAGE), Result.blocked, "refuses this agent or address"),
    "404": (Answer(404, body=HTML), Result.not_found, "404 Not Found"),
    "410": (Answer(410), Result.not_found, "410 Gone"),
    "500": (Answer(500, body=HTML), Result.server_error, "500 Internal Server Error"),
    "522": (Answer(522), Result.server_error, "522"),
    "418": (Answer(418), Result.http_error, "418"),
    "429": (Answer(429, {"Retry-After": "86400"}), Result.http_error, "the server asks to wait: 86400"),
    "unasked-304": (Answer(304), Result.http_error, "304 Not Modified"),
    "no-location": (Answer(302, body=HTML), Result.http_error, "302 Found"),
    "loop": (Answer(302, {"Location": "/loop.xlsx"}), Result.http_error, "max redirections"),
    "reset": (Answer(behaviour=Behaviour.reset), Result.refused, "no answer"),
    "hang": (Answer(behaviour=Behaviour.hang), Result.timeout, "no whole answer in time"),
    "stall": (Answer(body=WORKBOOK, behaviour=Behaviour.stall), Result.timeout, "no whole answer in time"),
    "private": (Answer(body=WORKBOOK), Result.disallowed, "robots.txt"),
    "elsewhere": (Answer(301, {"Location": "http://localhost/x.xlsx"}), Result.off_host, "host localhost"),
    "ftp": (Answer(301, {"Location": "ftp://127.0.0.1/x.xlsx"}), Result.http_error, "301"),
}

BODIES: dict[str, tuple[Answer, Result, str]] = {
    "whole": (Answer(body=WORKBOOK), Result.ok, ""),
    "html": (Answer(200, WORKBOOK_TYPE, HTML), Result.html, "a web page where a workbook should be"),
    "pdf": (Answer(200, WORKBOOK_TYPE, PDF), Result.not_a_workbook, "a PDF where"),
    "xls": (Answer(200, WORKBOOK_TYPE, XLS), Result.not_a_workbook, "an old Excel workbook (.xls)"),
    "encrypted": (Answer(body=ENCRYPTED), Result.not_a_workbook, "a password-protected workbook"),
    "csv": (Answer(body=CSV), Result.not_a_workbook, "a text or CSV file"),
    "empty": (Answer(200, WORKBOOK_TYPE), Result.empty, "an empty body"),
    "cut": (Answer(body=WORKBOOK, behaviour=Behaviour.cut), Result.truncated, "before the end of the body"),
    "half": (Answer(body=WORKBOOK[:-50]), Result.truncated, "a zip file without its end"),
    "large": (Answer(body=WORKBOOK * 200), Result.too_large, "larger than allowed"),
    "large-undeclared": (Answer(body=WORKBOOK * 200, behaviour=Behaviour.undeclared), Result.too_large, "larger"),
    "bomb": (Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(10**7))), Result.too_large, "decompressed"),
    "garbled": (Answer(200, {"Content-Encoding": "gzip"}, WORKBOOK), Result.http_error, "no usable answer"),
    "nowhere": (Answer(302, {"Location": "http://[x"}), Result.http_error, "no usable answer"),
    "gzip": (Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(WORKBOOK)), Result.ok, ""),
    "moved": (Answer(301, {"Location": "/whole.xlsx"}), Result.ok, ""),
}


ATTEMPTS = dict.fromkeys(("500", "522", "reset", "hang", "stall", "cut"), 2) | {"private": 0, "loop": 6, "whole": 2}
"""How often each is asked for, with one retry and at most five redirects, where that is not once."""


def fetch_all(site: Site, settings: CrawlSettings, cases: dict[str, tuple[Answer, Result, str]]) -> dict[str, Fetched]:
    site.pages["/287g"] = page(*(f"/{name}.xlsx" for name in cases))
    site.pages |= {f"/{name}.xlsx": answer for name, (answer, _, _) in cases.items()}
    _, *workbooks = crawl(settings)
    return dict(zip(cases, workbooks, strict=True))


@pytest.mark.parametrize("cases", [STATUSES, BODIES], ids=["statuses", "bodies"])
def test_each_way_a_workbook_fails_is_told_apart_and_loses_no_other(
    site: Site, settings: Settings, cases: dict[str, tuple[Answer, Result, str]]
) -> None:
    site.pages["/robots.txt"] = Answer(body=b"User-agent: *\nDisallow: /private\n")

    fetched = fetch_all(site, settings(timeout_seconds=1.0, max_workbook_bytes=100_000), cases)

    assert {name: one.result for name, one in fetched.items()} == {
        name: result for name, (_, result, _) in cases.items()
    }
    for name, (_, _, message) in cases.items():
        assert message in fetched[name].message, name
        assert "\n" not in fetched[name].message
    assert all(bool(one.body) == one.ok for one in fetched.values())
    assert all(one.fetched_at.tzinfo is UTC for one in fetched.values())
    asked = {name: len(site.asked_for(f"/{name}.xlsx")) for name in cases}
    if "reset" in asked:
        # Twisted adds a try of its own where the connection that broke was one it had kept.
        asked["reset"] = max(2, asked["reset"] - 2)
    assert asked == {name: ATTEMPTS.get(name, 1) for name in cases}


def test_what_a_failing_server_says_is_kept_in_excerpt(site: Site, settings: Settings) -> None:
    cases = {"403": (Answer(403, {"Retry-After": "120"}, BLOCK_PAGE + b"x" * 9000), Result.blocked, "")}

    fetched = fetch_all(site, settings(), cases)["403"]

    assert fetched.excerpt.startswith("<HTML><HEAD>\n<TITLE>Access Denied")
    assert len(fetched.excerpt) == 2048
    assert fetched.headers["retry-after"] == "120"


def test_links_that_lead_nowhere_good_are_values_too(site: Site, settings: Settings) -> None:
    refused, elsewhere = f"http://127.0.0.1:{closed_port()}/participating.xlsx", "http://localhost:9/participating.xlsx"
    moved = "http://127.0.0.1:9/participating.csv"
    site.pages["/287g"] = page(refused, elsewhere, moved, PARTICIPATING)
    site.pages[PARTICIPATING] = Answer(body=WORKBOOK)

    came, *workbooks = crawl(settings(retries=0))

    assert came.ok
    assert came.message == f"a link to a list has changed: {moved}"
    assert [one.result for one in workbooks] == [Result.refused, Result.off_host, Result.refused, Result.ok]
    assert workbooks[1].final_url == elsewhere


LINK = f'<a href="{PARTICIPATING}">View 287(g) Participating Agencies</a>'.encode()
FAILING_PAGES: dict[str, tuple[Answer, Result]] = {
    "blocked": (Answer(403, body=BLOCK_PAGE), Result.blocked),
    "block page": (Answer(200, body=BLOCK_PAGE), Result.blocked),
    "not found, with links": (Answer(404, body=b"<html>" + LINK), Result.not_found),
    "server error": (Answer(503, body=b"<html>" + LINK), Result.server_error),
    "empty": (Answer(200, {"Content-Type": "text/html"}), Result.empty),
    "no links": (Answer(200, {"Content-Type": "text/html"}, HTML), Result.no_links),
    "not a page": (Answer(200, {"Content-Type": "application/pdf"}, PDF), Result.no_links),
    "links changed": (page("/doclib/participating.csv", "/media/1/download?x=pending"), Result.links_changed),
    "far too many links": (page(*(f"/p{n}.xlsx" for n in range(21))), Result.links_changed),
    "cut": (Answer(body=b"<html>" + LINK * 9, behaviour=Behaviour.cut), Result.truncated),
    "cut, of unknown length": (
        Answer(body=b"<html>" + LINK * 9, behaviour=Behaviour.undeclared),
        Result.truncated,
    ),
    "too large": (Answer(body=b"<html>" + LINK * 2000), Result.too_large),
    "hanging": (Answer(behaviour=Behaviour.hang), Result.timeout),
    "dripping": (Answer(body=b"<html>" + LINK * 9, behaviour=Behaviour.drip), Result.timeout),
    "moved to another host": (Answer(302, {"Location": "http://localhost/287g"}), Result.off_host),
}


@pytest.mark.parametrize(("answer", "result"), FAILING_PAGES.values(), ids=FAILING_PAGES)
def test_a_failed_page_is_a_failure_and_asks_for_no_workbook(
    site: Site, settings: Settings, answer: Answer, result: Result
) -> None:
    site.pages["/287g"] = answer

    fetched = crawl(settings(timeout_seconds=1.0, retries=0, max_page_bytes=50_000))

    assert [one.result for one in fetched] == [result]
    assert fetched[0].message
    assert fetched[0].body == b""
    assert {asked.path for asked in site.requests} == {"/robots.txt", "/287g"}


def test_a_site_that_is_not_there_is_refused_at_once(settings: Settings) -> None:
    (fetched,) = crawl(settings(page_url=f"http://127.0.0.1:{closed_port()}/287g"))

    assert (fetched.result, fetched.message) == (Result.refused, "the connection was refused")


def test_robots_txt_is_obeyed_and_a_page_it_forbids_is_not_asked_for(site: Site, settings: Settings) -> None:
    site.pages |= {"/robots.txt": Answer(body=b"User-agent: *\nDisallow: /\n"), "/287g": page(PARTICIPATING)}

    assert [one.result for one in crawl(settings())] == [Result.disallowed]
    assert [one.result for one in crawl(settings(obey_robots=False))] == [Result.ok, Result.not_found]


def test_the_agent_is_honest_and_carries_no_cookies(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = page(PARTICIPATING)
    site.pages["/287g"].headers["Set-Cookie"] = "session=1"  # type: ignore[index, union-attr]

    crawl(settings())

    assert {asked.headers["user-agent"] for asked in site.requests} == {settings().user_agent}
    assert not any("cookie" in asked.headers for asked in site.requests)


def known(site: Site) -> Known:
    """What an earlier crawl of the page brought."""
    came, *workbooks = crawl(
        CrawlSettings(page_url=site.url + "/287g", allowed_hosts=("127.0.0.1",), user_agent="t", delay_seconds=0)
    )
    site.requests.clear()
    return Known(
        came.headers.get("etag"),
        came.headers.get("last-modified"),
        tuple(
            KnownWorkbook(w.link, w.headers.get("etag"), w.headers.get("last-modified")) for w in workbooks if w.link
        ),
    )


def test_a_page_that_stood_still_asks_for_its_workbooks(site: Site, settings: Settings) -> None:
    validators = {"ETag": ETAG, "Last-Modified": MODIFIED}
    site.pages["/287g"] = Answer(200, {**page().headers, **validators}, page(PARTICIPATING, PENDING).body)
    site.pages |= {PARTICIPATING: Answer(200, validators, WORKBOOK), PENDING: Answer(200, validators, WORKBOOK)}
    earlier = known(site)
    overwritten = WORKBOOK + b"\r\n"
    site.pages[PENDING] = Answer(200, {"ETag": '"another"', "Last-Modified": MODIFIED}, overwritten)

    came, participating, pending = crawl(settings(), earlier)

    assert [one.result for one in (came, participating, pending)] == [
        Result.not_modified,
        Result.not_modified,
        Result.ok,
    ]
    assert (participating.status, participating.headers["etag"], participating.body) == (304, ETAG, b"")
    assert participating.stood
    assert not participating.failed
    assert pending.body == overwritten
    for path in ("/287g", PARTICIPATING, PENDING):
        (asked,) = site.asked_for(path)
        assert (asked.headers["if-none-match"], asked.headers["if-modified-since"]) == (ETAG, MODIFIED)
    assert "if-none-match" not in site.asked_for("/robots.txt")[0].headers


def test_a_new_page_with_an_old_link_asks_for_the_workbook_conditionally(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = page(PARTICIPATING)
    site.pages[PARTICIPATING] = Answer(200, {"Last-Modified": MODIFIED}, WORKBOOK)
    earlier = known(site)
    site.pages["/287g"] = page(PENDING, PARTICIPATING)
    site.pages[PENDING] = Answer(body=WORKBOOK)

    came, pending, participating = crawl(settings(), earlier)

    assert [one.result for one in (came, pending, participating)] == [Result.ok, Result.ok, Result.not_modified]
    assert "if-modified-since" not in site.asked_for(PENDING)[0].headers


def test_a_304_that_claims_to_be_compressed_is_still_a_304(site: Site, settings: Settings) -> None:
    headers = {"ETag": ETAG, "Content-Encoding": "gzip"}
    site.pages |= {"/287g": page(PARTICIPATING), PARTICIPATING: Answer(200, headers, gzip.compress(WORKBOOK))}

    assert [one.result for one in crawl(settings(), known(site))] == [Result.ok, Result.not_modified]
