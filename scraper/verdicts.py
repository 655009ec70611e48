"""A response judged by what came back: status, headers and bytes, never Scrapy's finish reason. Pure."""

from __future__ import annotations

from http import HTTPStatus

from scraper.fetched import Result, Target
from scraper.sniff import Kind, sniff

Verdict = tuple[Result, str]
"""A result and one line that explains it; the line is empty where there is nothing to explain."""

_WORKBOOK_RESULTS = {
    Kind.xlsx: Result.ok,
    Kind.html: Result.html,
    Kind.empty: Result.empty,
    Kind.truncated: Result.truncated,
}


def verdict(
    target: Target,
    status: int,
    body: bytes,
    *,
    content_type: str = "",
    retry_after: str = "",
    conditional: bool = False,
    cut: bool = False,
) -> Verdict:
    """Judge a response to a request for `target`.

    `conditional`: the request carried validators; a 304 to any other is a fault of the server, not evidence.
    `cut`: the connection closed and nothing had said how long the body would be.
    """
    kind = sniff(body, content_type, status)
    if status == HTTPStatus.FORBIDDEN or kind is Kind.block_page:
        return Result.blocked, f"{_phrase(status)}: the server refuses this agent or address"
    if status == HTTPStatus.NOT_MODIFIED and conditional:
        return Result.not_modified, ""
    if status != HTTPStatus.OK:
        return _by_status(status, retry_after)
    return _page(kind, body, cut=cut) if target is Target.page else _workbook(kind, len(body))


def _by_status(status: int, retry_after: str) -> Verdict:
    message = _phrase(status)
    if retry_after:
        message += f"; the server asks to wait: {_printable(retry_after)[:80]}"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return Result.not_found, message
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Result.server_error, message
    return Result.http_error, message


def _page(kind: Kind, body: bytes, *, cut: bool) -> Verdict:
    if kind is Kind.empty:
        return Result.empty, "the page is empty"
    if kind is not Kind.html:
        return Result.no_links, f"a {kind} where the page should be"
    if cut and b"</html" not in body[-4096:].lower():
        return Result.truncated, "the page ends before its end"
    return Result.ok, ""


def _workbook(kind: Kind, size: int) -> Verdict:
    if kind is Kind.xlsx:
        return Result.ok, ""
    article = "an" if kind.startswith(("o", "e")) else "a"
    return _WORKBOOK_RESULTS.get(
        kind, Result.not_a_workbook
    ), f"{article} {kind} where a workbook should be, {size} bytes"


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
