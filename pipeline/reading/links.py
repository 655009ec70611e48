"""Hyperlinks as ICE's staff pasted them -> the document they mean.

Nineteen in a hundred are wrapped by Outlook's safelinks, whose query names staff mailboxes; some start with a browser
extension's address or lack a slash. What is published must be the bare document.
"""

import re
from functools import lru_cache
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

_WRAPPER = "safelinks.protection.outlook.com"
_MAX_LENGTH = 2_000
_MAX_WRAPS = 4
_BARE = re.compile(r"https://www\.ice\.gov/[\w/.~-]{1,500}", re.ASCII)
"""Four in five links are as they should be."""


@lru_cache(maxsize=8192)
def unwrap(target: str) -> str | None:
    """The https or http address that `target` leads to; None where it leads to none.

    Wrappers are taken off up to four deep. The result has no user name, no fragment and no port other than its own,
    and is percent-encoded, so that it can stand in a report as it is.
    """
    if _BARE.fullmatch(target):
        return target
    text = target.strip()[:_MAX_LENGTH]
    for _ in range(_MAX_WRAPS):
        text = _innermost_scheme(text)
        try:
            parts = urlsplit(text)
            host = (parts.hostname or "").lower()
        except ValueError:
            return None
        if not (host == _WRAPPER or host.endswith("." + _WRAPPER)):
            return _clean(text)
        text = parse_qs(parts.query).get("url", [""])[0].strip()
    return None


def _innermost_scheme(text: str) -> str:
    """Drop `chrome-extension://.../` before an address, and mend `https:/www`."""
    if text.lower().startswith("chrome-extension:"):
        _, _, rest = text.partition("//")
        start = max(rest.lower().find("https:/"), rest.lower().find("http:/"))
        text = rest[start:] if start >= 0 else ""
    for scheme in ("https", "http"):
        if text.lower().startswith(f"{scheme}:/"):
            return f"{scheme}://{text[len(scheme) + 1 :].lstrip('/')}"
    return text


def _clean(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if parts.scheme.lower() not in ("http", "https") or not host or not host.isascii() or " " in host:
        return None
    netloc = f"{host}:{port}" if port else host
    path = quote(unquote(parts.path), safe="/()!$&',;=:@~+*-._")
    query = quote(parts.query, safe="=&%+-._~,;:@/?!$'()*")
    return urlunsplit(("https" if port is None else parts.scheme.lower(), netloc, path, query, ""))


def host(url: str) -> str:
    """The host of a cleaned address."""
    return urlsplit(url).hostname or ""


@lru_cache(maxsize=8192)
def document(url: str | None) -> str | None:
    """The name by which two links to one document are known to be one: the decoded file name, folded.

    `.../KerrCoTX_JEM_MOA_05022025.pdf` and its copy under another folder are the same document.
    """
    if not url:
        return None
    name = unquote(urlsplit(url).path).rsplit("/", 1)[-1].casefold().strip()
    return name.removesuffix(".pdf").strip() or None
