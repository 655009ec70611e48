"""Texts from ICE's cells and file names -> texts that are harmless where they are shown.

Anybody who can get a name onto ICE's list could put a terminal escape, a spreadsheet formula or a script into it.
"""

import re
from urllib.parse import quote, urlsplit

_MARKDOWN = re.compile(r"[\\`*_{}\[\]#!|~$]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_AUTOLINK = re.compile(r"(https?|ftp)://|\bwww\.", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str) -> str:
    """One line without control characters, escapes or marks that reorder text: spaces or U+FFFD stand for them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def markdown(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, no table cell's end, no link made of an address."""
    plain = _MARKDOWN.sub(r"\\\g<0>", printable(text)).translate(_ENTITIES)
    return _AUTOLINK.sub(lambda found: found[0].replace("://", "&#58;//").replace(".", "&#46;"), plain)


def cell(value: str | float | None) -> str | float:
    """A value for a CSV file that a spreadsheet program does not take for a formula; None is the empty text.

    A leading apostrophe is what spreadsheet programs themselves use to mark a text as a text.
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def web_link(url: str | None) -> str | None:
    """The address, if it may be a link in a page: http or https with a host, percent-encoded."""
    if url is None or not url.lower().startswith(("https://", "http://")):
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return quote(url, safe="/:?#@!$&*+,;=%~-._") if host else None
