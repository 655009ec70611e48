"""The spider: ICE's page, then every workbook it links. Each request ends in one Fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from scrapy import Request, Spider
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response, TextResponse
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from scraper.disposition import file_name
from scraper.fetched import EXCERPT_BYTES, HEADERS_KEPT, Fetched, Link, Result, Target, Totals
from scraper.links import read_page
from scraper.middlewares import RETRIED_EXCEPTIONS, OffHost
from scraper.settings import Known, KnownWorkbook
from scraper.verdicts import Verdict, verdict

MAX_WORKBOOKS = 20
"""ICE links two lists. A page with more than this many is not the page that this spider knows."""


class AgreementsSpider(Spider):
    """Yield a Fetched for the page, and one for each workbook if the page came or still stands.

    When the page answers 304 the known workbooks are asked for all the same: ICE has overwritten a file in place.
    """

    name = "agreements"

    def __init__(self, known: Known, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known

    async def start(self) -> AsyncIterator[Any]:
        yield Request(
            self.settings["PAGE_URL"],
            self.parse_page,
            headers=_validators(self.known.etag, self.known.last_modified),
            meta={"download_maxsize": self.settings.getint("PAGE_MAXSIZE")},
            errback=self.page_failed,
            dont_filter=True,
        )

    def parse_page(self, response: Response) -> Iterator[Any]:
        page, links = self._page(response)
        yield page
        known = {workbook.link.url: workbook for workbook in self.known.workbooks}
        for position, link in enumerate(links):
            earlier = known.get(link.url, KnownWorkbook(link))
            yield Request(
                link.url,
                self.parse_workbook,
                headers=_validators(earlier.etag, earlier.last_modified),
                cb_kwargs={"link": link},
                errback=self.workbook_failed,
                # Else the last link would be asked for first, and be the one that a time limit spares.
                priority=-position,
                dont_filter=True,
            )

    def _page(self, response: Response) -> tuple[Fetched, tuple[Link, ...]]:
        """The page's value, and the links to follow from it."""
        url = self.settings["PAGE_URL"]
        judged = _judge(Target.page, response)
        if judged[0] is Result.not_modified:
            return _fetched(Target.page, url, response, judged), tuple(w.link for w in self.known.workbooks)
        if judged[0] is not Result.ok:
            return _fetched(Target.page, url, response, judged), ()
        html = response.text if isinstance(response, TextResponse) else response.body
        links, totals = read_page(html, response.url)
        judged = judge_links(links)
        page = _fetched(Target.page, url, response, judged, links=links, totals=totals)
        return page, links if page.ok else ()

    def parse_workbook(self, response: Response, link: Link) -> Iterator[Fetched]:
        yield _fetched(Target.workbook, link.url, response, _judge(Target.workbook, response), link=link)

    def page_failed(self, failure: Failure) -> Iterator[Fetched]:
        yield _failed(Target.page, self.settings["PAGE_URL"], failure)

    def workbook_failed(self, failure: Failure) -> Iterator[Fetched]:
        link: Link = failure.request.cb_kwargs["link"]  # type: ignore[attr-defined]  # Scrapy adds it
        yield _failed(Target.workbook, link.url, failure, link)


def judge_links(links: tuple[Link, ...]) -> Verdict:
    """What the links of a page that came say about the page."""
    unknown = [link for link in links if not link.known_shape]
    if not links:
        return Result.no_links, "the page links no list"
    if len(unknown) == len(links):
        return Result.links_changed, f"the page's links to the lists have changed: {unknown[0].url}"
    if len(links) > MAX_WORKBOOKS:
        return Result.links_changed, f"the page links {len(links)} workbooks, at most {MAX_WORKBOOKS} are expected"
    if unknown:
        return Result.ok, f"a link to a list has changed: {unknown[0].url}"
    return Result.ok, ""


def judge_failure(error: BaseException | None) -> Verdict:
    """What it means that no response came, from the exception that Scrapy ended the request with."""
    message = _one_line(error)
    match error:
        case OffHost():
            return Result.off_host, message
        case DownloadTimeoutError():
            return Result.timeout, "no whole answer in time"
        case ResponseDataLossError():
            return Result.truncated, "the connection was lost before the end of the body"
        # Scrapy cancels a download for one reason: it is, or says it will be, larger than allowed.
        case DownloadCancelledError():
            return Result.too_large, "larger than allowed"
        case IgnoreRequest() if "robots.txt" in message:
            return Result.disallowed, "robots.txt forbids it"
        case IgnoreRequest() if "DOWNLOAD_MAXSIZE" in message:
            return Result.too_large, "larger than allowed once decompressed"
        case IgnoreRequest():
            return Result.http_error, message
        case CannotResolveHostError():
            return Result.refused, "no such host, or no network"
        case DownloadConnectionRefusedError():
            return Result.refused, "the connection was refused"
        case _ if isinstance(error, RETRIED_EXCEPTIONS):
            return Result.refused, f"no answer: {message}"
        # A body that does not decompress, a redirect to what is no address.
        case _:
            return Result.http_error, f"no usable answer: {message}"


def _judge(target: Target, response: Response) -> Verdict:
    sent = response.request.headers if response.request else {}
    return verdict(
        target,
        response.status,
        response.body,
        content_type=_header(response, "content-type"),
        retry_after=_header(response, "retry-after"),
        conditional="If-None-Match" in sent or "If-Modified-Since" in sent,
        cut="partial" in response.flags,
    )


def _fetched(
    target: Target,
    url: str,
    response: Response,
    judged: Verdict,
    link: Link | None = None,
    links: tuple[Link, ...] = (),
    totals: Totals | None = None,
) -> Fetched:
    result, message = judged
    disposition = _header(response, "content-disposition")
    return Fetched(
        target=target,
        url=url,
        final_url=response.url,
        result=result,
        fetched_at=datetime.now(UTC),
        status=response.status,
        headers={name: value for name in HEADERS_KEPT if (value := _header(response, name))},
        body=response.body if result is Result.ok else b"",
        excerpt="" if result is Result.ok else response.body[:EXCERPT_BYTES].decode("utf-8", "replace"),
        file_name=file_name(disposition, response.url),
        link=link,
        message=message,
        links=links,
        totals=totals,
    )


def _failed(target: Target, url: str, failure: Failure, link: Link | None = None) -> Fetched:
    result, message = judge_failure(failure.value)
    final_url: str = failure.request.url  # type: ignore[attr-defined]  # Scrapy adds it
    return Fetched(
        target=target,
        url=url,
        final_url=final_url,
        result=result,
        fetched_at=datetime.now(UTC),
        file_name=file_name(None, final_url),
        link=link,
        message=message,
    )


def _validators(etag: str | None, last_modified: str | None) -> Mapping[str, str]:
    return {
        **({"If-None-Match": etag} if etag else {}),
        **({"If-Modified-Since": last_modified} if last_modified else {}),
    }


def _header(response: Response, name: str) -> str:
    """A header's value, empty if there is none. Servers send UTF-8 where the standard has Latin-1."""
    value = response.headers.get(name) or b""
    try:
        return value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()


def _one_line(error: BaseException | None) -> str:
    """The innermost reason, on one line: Twisted wraps the failure that says what happened in others that do not."""
    cause = getattr(error, "__cause__", None)
    if isinstance(cause, ResponseFailed) and cause.reasons:
        error = cause.reasons[-1].value
    return " ".join(str(error).split())[:300] or type(error).__name__
