"""The value that every fetch ends in, failures included.

Standard library only: whoever starts a crawl imports this, and must not pay for Scrapy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

EXCERPT_BYTES = 2048
"""How much of a failing body is kept, to see afterwards what the server said."""

HEADERS_KEPT = (
    "etag",
    "last-modified",
    "content-type",
    "content-length",
    "content-disposition",
    "retry-after",
    "date",
    "server",
)


class Target(StrEnum):
    """What was asked for."""

    page = "page"
    workbook = "workbook"


class Result(StrEnum):
    """How a fetch ended. Only `ok` carries bytes; only `ok` and `not_modified` are evidence about a list."""

    ok = "ok"
    not_modified = "not_modified"
    blocked = "blocked"  # 403, or a block page under any status
    not_found = "not_found"  # 404, 410
    server_error = "server_error"  # 5xx, after retries
    http_error = "http_error"  # any other status, too many redirects, an answer that breaks the protocol
    timeout = "timeout"
    refused = "refused"  # refused, no such host, TLS failure or connection lost before an answer
    too_large = "too_large"
    truncated = "truncated"  # cut short on the way, or a zip without its end
    empty = "empty"
    html = "html"  # a web page where a workbook should be
    not_a_workbook = "not_a_workbook"  # xls, csv, pdf, ...: the message says which
    no_links = "no_links"  # a page without any link to a list
    links_changed = "links_changed"  # a page whose links to the lists no longer look like workbooks
    off_host = "off_host"  # a link or redirect to a host that is not allowed
    disallowed = "disallowed"  # by robots.txt
    crawl_failed = "crawl_failed"  # the crawl's process died or ran out of time


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the page to a list.

    `list_hint` is `participating` or `pending` where text or name says so. It is only a hint: ICE has posted each list
    under the other's name. `known_shape` is False where the text promises a list and the address is of no known kind.
    """

    url: str
    text: str
    list_hint: str | None
    known_shape: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """What the page's prose says the lists hold. A number that the page does not print is None or missing."""

    agreements: int | None
    states: int | None
    territories: int | None
    by_model: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One fetch: what was asked, what came back and when.

    `url` is what was asked for, `final_url` where redirects led. `headers` has lower-case names, those of HEADERS_KEPT.
    `body` is empty unless the result is `ok`; of a failing body up to EXCERPT_BYTES are kept as text in `excerpt`.
    `fetched_at` is aware, in UTC. `link` is the page's link to a workbook; `links` and `totals` belong to a page.
    """

    target: Target
    url: str
    final_url: str
    result: Result
    fetched_at: datetime
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    excerpt: str = field(default="", repr=False)
    file_name: str | None = None
    link: Link | None = None
    message: str = ""
    links: tuple[Link, ...] = ()
    totals: Totals | None = None

    @property
    def ok(self) -> bool:
        """The bytes asked for are here."""
        return self.result is Result.ok

    @property
    def stood(self) -> bool:
        """The server says that what was fetched before is still what it has."""
        return self.result is Result.not_modified

    @property
    def failed(self) -> bool:
        """Neither bytes nor a 304: this says nothing about the list."""
        return not (self.ok or self.stood)
