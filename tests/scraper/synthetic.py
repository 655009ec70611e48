"""Pages and workbooks written by hand from what is known of ICE's; none of them is a copy."""

from __future__ import annotations

import io
import zipfile

from pipeline.demo.server import Answer

BLOCK_PAGE = (
    b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n You don't have permission to"
    b' access "http&#58;&#47;&#47;www&#46;ice&#46;gov&#47;" on this server.<P>\nReference&#32;&#35;18&#46;2d'
    b"\n<P>\nhttps&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;2d\n</BODY>\n</HTML>\n"
)
HTML = b"<!DOCTYPE html>\n<html><head><title>Page not found</title></head><body>Sorry</body></html>"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
ENCRYPTED = XLS + "EncryptedPackage".encode("utf-16-le")
CSV = b"STATE,LAW ENFORCEMENT AGENCY\nTEXAS,Kerr County Sheriff's Office\n"


def zipped(*names: str, size: int = 1000) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * size)
    return buffer.getvalue()


WORKBOOK = zipped("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")


def page(*links: str, prose: str = "") -> Answer:
    """A page with links to participating agencies' lists at these addresses."""
    anchors = "".join(f'<li><a href="{link}">View 287(g) Participating Agencies</a></li>' for link in links)
    html = (
        f"<!DOCTYPE html><html><head><title>287(g)</title></head><body><p>{prose}</p><ul>{anchors}</ul></body></html>"
    )
    return Answer(headers={"Content-Type": "text/html; charset=UTF-8"}, body=html.encode())
