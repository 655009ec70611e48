"""What Scrapy's own middlewares do not do: keep to the allowed hosts, and wait before trying again."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from scraper.settings import refusal
from scraper.sniff import Kind, sniff

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# No such host is not among them: whoever is offline should hear so at once.
RETRIED_EXCEPTIONS = (
    ConnectError,
    ConnectionDone,
    ConnectionLost,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
RETRIED_STATUSES = frozenset({408, 429, *range(500, 600)})


class OffHost(IgnoreRequest):
    """A link or redirect left the allowed hosts, or https."""


class AllowedHostsMiddleware:
    """Raise OffHost for a request to anywhere else, be it a link, a redirect or a robots.txt.

    Scrapy's OffsiteMiddleware drops such a request before it has an errback to call; here it must end in a value.
    """

    def __init__(self, page_url: str, allowed_hosts: tuple[str, ...]) -> None:
        self.page_url = page_url
        self.allowed_hosts = allowed_hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings["PAGE_URL"], tuple(crawler.settings.getlist("ALLOWED_HOSTS")))

    def process_request(self, request: Request) -> None:
        if reason := refusal(request.url, self.page_url, self.allowed_hosts):
            raise OffHost(f"{reason}: {request.url}")


class BackoffMiddleware:
    """Try again after 5xx, 408, 429, time-outs and lost connections, later each time, and never before Retry-After.

    A wait that the crawl's time limit would not survive is not begun: the failure itself is the value then. A block
    page is not asked for again, under whatever status it comes.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.base = crawler.settings.getfloat("BACKOFF_BASE")
        self.cap = crawler.settings.getfloat("BACKOFF_CAP")
        self.deadline = time.monotonic() + crawler.settings.getfloat("HARD_LIMIT")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status not in RETRIED_STATUSES or sniff(response.body) is Kind.block_page:
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        asked = retry_after_seconds(header, datetime.now(UTC))
        return await self._again(request, f"status {response.status}", asked) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if not isinstance(exception, RETRIED_EXCEPTIONS):
            return None
        return await self._again(request, exception, 0.0)

    async def _again(self, request: Request, reason: str | Exception, asked: float) -> Request | None:
        if request.meta.get("dont_obey_robotstxt"):
            # Scrapy's own request for robots.txt: the page waits for it, and will meet the same trouble by itself.
            return None
        attempts: int = request.meta.get("retry_times", 0)
        wait = max(asked, backoff_seconds(attempts, self.base, self.cap))
        if time.monotonic() + wait >= self.deadline:
            return None
        spider = self.crawler.spider
        if spider is None:
            return None
        retry = get_retry_request(request, spider=spider, reason=reason)
        if retry is not None:
            await asyncio.sleep(wait)
        return retry


def backoff_seconds(attempts: int, base: float, cap: float) -> float:
    """How long to wait after `attempts` failed retries: `base`, doubled each time, at most `cap`."""
    return min(cap, base * 2.0 ** min(attempts, 32))


def retry_after_seconds(header: str, now: datetime) -> float:
    """What Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), from `now`, aware. 0 for what cannot be read."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    # A date in "-0000", which RFC 5322 has for an unknown zone, parses as naive; HTTP dates are UTC.
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
