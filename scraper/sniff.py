"""What a response's bytes are, whatever its status and headers claim. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

BLOCK_PAGE_BYTES = 16_384
"""A block page is short; ICE's page is many times this long and may well mention that access was denied to somebody."""

_BLOCK_PAGE = re.compile(
    rb"<title>\s*access denied"
    rb"|access denied.{0,2000}(?:reference|incident)\s*(?:#|&#35;|&num;|id)"
    rb"|you don(?:'|&#39;|&#x27;|\xe2\x80\x99)t have permission to access.{0,2000}(?:reference|edgesuite)"
    rb"|errors\.edgesuite\.net"
    rb"|<title>\s*(?:attention required|just a moment|pardon our interruption)"
    rb"|the requested url was rejected\. please consult"
    rb"|request unsuccessful\. incapsula",
    re.IGNORECASE | re.DOTALL,
)
_HTML = re.compile(
    # Atomic, so that a page of nothing but comments is not tried in every way to read it.
    rb"(?>(?:<\?xml[^>]{0,200}\?>|<!--(?>.*?-->)|\s)*)<(?:!doctype\s+html|html|head|body|title|meta|script|div|h\d|p)\b",
    re.IGNORECASE | re.DOTALL,
)

_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_ZIP_END_REACH = 22 + 65_535  # the record and the longest comment after it
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class Kind(StrEnum):
    """What bytes are; the values read well in a message."""

    xlsx = "workbook"
    xls = "old Excel workbook (.xls)"
    encrypted = "password-protected workbook"
    block_page = "block page"
    html = "web page"
    empty = "empty body"
    truncated = "zip file without its end"
    pdf = "PDF"
    text = "text or CSV file"
    other = "file of another kind"


def sniff(body: bytes, content_type: str = "", status: int | None = None) -> Kind:
    """Tell what `body` is. The bytes decide, and `content_type` only where they are plain text.

    A short web page is a block page under status 403, and under any status if it reads like one.
    """
    if not body.strip():
        return Kind.empty
    if body.startswith(_ZIP):
        return _zip(body)
    if body.startswith(_OLE):
        return Kind.encrypted if _ENCRYPTED in body else Kind.xls
    head = body[:4096].removeprefix(b"\xef\xbb\xbf")
    if b"%PDF-" in head[:1024]:
        return Kind.pdf
    if len(body) <= BLOCK_PAGE_BYTES and (_BLOCK_PAGE.search(body) or (status == 403 and _HTML.match(head))):
        return Kind.block_page
    if _HTML.match(head):
        return Kind.html
    if b"\0" in head:
        return Kind.other
    return Kind.html if "html" in content_type.lower() else Kind.text


def _zip(body: bytes) -> Kind:
    """A zip is whole if its end record is there, and a workbook if it has a member under `xl/`."""
    end = body.rfind(_ZIP_END, max(0, len(body) - _ZIP_END_REACH))
    if end < 0 or len(body) < end + 22:
        return Kind.truncated
    return Kind.xlsx if b"xl/" in body.lower() else Kind.other
