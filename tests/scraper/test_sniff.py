"""What came is told by its bytes: a name ending in .xlsx and a status of 200 prove nothing."""

from __future__ import annotations

import pytest
from synthetic import BLOCK_PAGE, CSV, ENCRYPTED, HTML, PDF, WORKBOOK, XLS, zipped

from scraper.sniff import Kind, sniff

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (WORKBOOK, Kind.xlsx),
        (WORKBOOK[:-30], Kind.truncated),
        (WORKBOOK[:4], Kind.truncated),
        (WORKBOOK + b"\r\n", Kind.xlsx),
        (zipped("word/document.xml"), Kind.other),
        (XLS, Kind.xls),
        (ENCRYPTED, Kind.encrypted),
        (BLOCK_PAGE, Kind.block_page),
        (BLOCK_PAGE.upper(), Kind.block_page),
        (b"<html><head><title>Attention Required! | Cloudflare</title>", Kind.block_page),
        (HTML, Kind.html),
        (b"\xef\xbb\xbf\r\n<!-- x --><HTML lang=en>", Kind.html),
        (HTML + b"Access Denied <!-- Reference #18 -->" + b" " * 20_000, Kind.html),
        (PDF, Kind.pdf),
        (CSV, Kind.text),
        (b"<a,b", Kind.text),
        (b"", Kind.empty),
        (b" \r\n", Kind.empty),
        (b"\x89PNG\r\n\x1a\n\0\0", Kind.other),
    ],
)
def test_bytes_tell_what_they_are_whatever_the_header_claims(body: bytes, kind: Kind) -> None:
    assert sniff(body, XLSX_TYPE, 200) is kind


def test_a_page_of_comments_does_not_take_forever() -> None:
    assert sniff(b"<!---->" * 5000 + b"x", "", 200) is Kind.text


def test_any_short_web_page_under_403_is_a_block_page() -> None:
    assert sniff(HTML, "text/html", 403) is Kind.block_page


def test_a_fragment_without_a_tag_that_we_know_is_html_if_the_header_says_so() -> None:
    assert sniff(b"<center>hello", "text/html", 200) is Kind.html
