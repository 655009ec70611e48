"""The page: HTML in; links to the lists, and the totals that the prose prints, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from parsel import Selector, SelectorList
from w3lib.url import safe_url_string

from scraper.fetched import Link, Totals

_OPAQUE_ROUTE = re.compile(r"/file-download/download/public/\d+/?", re.IGNORECASE)
"""ICE's download route since spring 2026, on some days: the name is only in Content-Disposition."""

_LIST_WORD = re.compile(r"participating|pending", re.IGNORECASE)
_LIST_TEXT = re.compile(r"\b(?:agenc(?:y|ies)|lists?)\b", re.IGNORECASE)
_SPREADSHEET = re.compile(r"\b(?:xlsx|excel|spreadsheet|workbook)\b", re.IGNORECASE)
_UNRELATED = re.compile(
    r"template|fact[\s_-]*sheet|memorandum|\bmoas?\b|sample|form\b|brochure|guide|faq|checklist|training|reimbursement",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(
    r"\.(?:xls|xlsm|xlsb|ods|csv|tsv|txt|json|zip|pdf)$|/(?:doclib|file-download|download|media|files?|documents?)(?:/|$)",
    re.IGNORECASE,
)


def read_page(html: str | bytes, url: str) -> tuple[tuple[Link, ...], Totals | None]:
    """The links to lists in the order of the page, each address once, and the totals, or None if none are printed.

    `url` is where the page came from; a `<base href>` goes before it. HTML that is broken is read as browsers would.
    """
    page = Selector(text=html.decode("utf-8", "replace") if isinstance(html, bytes) else html, type="html")
    return tuple(_merged(_links(page, url))), read_totals(_prose(page))


def _links(page: Selector, url: str) -> Iterator[Link]:
    base = _joined_url(url, page.xpath("//base/@href").get() or "") or url
    for anchor in page.xpath("//a[@href] | //area[@href]"):
        address = _joined_url(base, anchor.attrib["href"])
        if address is None:
            continue
        link = _list_link(
            address,
            path=unquote(urlsplit(address).path),
            text=_joined(anchor.xpath(".//text() | @title | @aria-label | .//img/@alt")),
            download=anchor.attrib.get("download", ""),
            around=_joined(
                anchor.xpath(
                    "substring(normalize-space(ancestor::*[self::p or self::li or self::tr or self::dd][1]), 1, 300)"
                )
            ),
        )
        if link is not None:
            yield link


def _joined_url(base: str, href: str) -> str | None:
    """The address that `href` leads to, as it will be asked for; None for what cannot be asked for over HTTP."""
    try:
        address: str = safe_url_string(urldefrag(urljoin(base, href.strip())).url)
        return address if urlsplit(address).scheme in {"http", "https"} else None
    except ValueError:
        return None


def _list_link(address: str, *, path: str, text: str, download: str, around: str) -> Link | None:
    """The link, if text, name or the row or paragraph it stands in make it one to a list.

    A workbook that does not say it is something else counts, whatever its name: to read one too many does no harm, and
    its columns tell. An opaque route says nothing by itself, so the words must.
    """
    name = f"{path.rstrip('/').rsplit('/', 1)[-1]} {download}"
    words = f"{text} {name}"
    says_list = _LIST_WORD.search(words)
    related = not _UNRELATED.search(words)
    if path.lower().endswith(".xlsx"):
        known, wanted = True, bool(says_list or related or _LIST_TEXT.search(text))
    elif _OPAQUE_ROUTE.fullmatch(path):
        promising = _LIST_TEXT.search(text) or _SPREADSHEET.search(words) or _LIST_WORD.search(around)
        known, wanted = True, bool(says_list or (related and promising))
    else:
        known, wanted = False, bool(says_list and related and _DOWNLOAD.search(path))
    return Link(address, text, _hint(text) or _hint(name) or _hint(around), known) if wanted else None


def _hint(words: str) -> str | None:
    """The one list that `words` name; None if they name neither or both."""
    named = {word.lower() for word in _LIST_WORD.findall(words)}
    return named.pop() if len(named) == 1 else None


def _merged(links: Iterator[Link]) -> list[Link]:
    """Each address once, where it stands first, with the text that tells; an icon and its caption are two links."""
    merged: dict[str, Link] = {}
    for link in links:
        earlier = merged.get(link.url)
        if earlier is None or (earlier.list_hint is None and link.list_hint) or not earlier.text:
            merged[link.url] = link
    return list(merged.values())


_NUMBER = r"(?<![\d,.])(\d{1,3}(?:,\d{3})+|\d+)(?![\d.,]*\d)"
_AGREEMENTS = re.compile(
    rf"\bsigned\s+(?:[a-z]+\s+){{0,3}}?{_NUMBER}\s+(?:\S+\s+){{0,3}}?(?:memorand(?:ums?|a)\s+of\s+agreement|MOAs?)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<!U\.S)\.\s+(?=[A-Z])")
_STATES = re.compile(rf"\b(?:covering|across|in)\s+{_NUMBER}\s+(?:U\.\s?S\.\s+)?states?\b", re.IGNORECASE)
_TERRITORIES = re.compile(rf"{_NUMBER}\s+(?:U\.\s?S\.\s+)?territor(?:y|ies)\b", re.IGNORECASE)

_MODELS = {
    "Jail Enforcement Model": r"\b(?:Jail Enforcement(?: Models?)?|JEMs?)\b",
    "Warrant Service Officer": r"\b(?:Warrant Service Officers?|WSOs?)\b",
    "Task Force Model": r"\b(?:Task Force(?: Models?)?|TFMs?)\b",
}
_BEFORE = r"(?!\s*\(g\)|\s+(?:states?|U\.\s?S|territor|count))(?:\s+[^\W\d][\w'’-]*){0,5}?[\s(]+"
_AFTER = r"(?: Model)?(?:\s*\([A-Z]{3}\))?(?:\s+(?:agreements?|MOAs?|signed|has|have|with|total))*[\s:=–—(|-]+"
_COUNT_BEFORE = {model: re.compile(_NUMBER + _BEFORE + name, re.IGNORECASE) for model, name in _MODELS.items()}
_COUNT_AFTER = {model: re.compile(name + _AFTER + _NUMBER, re.IGNORECASE) for model, name in _MODELS.items()}


def read_totals(prose: str) -> Totals | None:
    """The totals in the page's text, its white space in any form; None if it prints none of them.

    The wording is ICE's: "ICE has signed N Memorandums of Agreement ... covering N states and N U.S. territories", and
    N by model, before the model's name or after it.
    """
    text = " ".join(prose.split())
    agreements = _AGREEMENTS.search(text)
    # States are also counted by model; those of the whole programme stand in the sentence that counts the agreements.
    rest = _SENTENCE_END.split(text[agreements.end() :], maxsplit=1)[0] if agreements else ""
    states, territories = _STATES.search(rest), _TERRITORIES.search(rest)
    by_model = _by_model(text)
    if agreements is None and not by_model:
        return None
    return Totals(_integer(agreements), _integer(states), _integer(territories), by_model)


def _by_model(text: str) -> dict[str, int]:
    """In a row of numbers and names a number stands between two names; the reading that accounts for more is right."""
    before, after = (
        {model: int(match[1].replace(",", "")) for model, count in counts.items() if (match := count.search(text))}
        for counts in (_COUNT_BEFORE, _COUNT_AFTER)
    )
    return before if len(before) >= len(after) else after


def _integer(match: re.Match[str] | None) -> int | None:
    return int(match[1].replace(",", "")) if match else None


def _prose(page: Selector) -> str:
    """What a reader sees. Tags part words, so that the cells of a table do not run into each other."""
    return _joined(page.xpath("//text()[not(parent::script or parent::style or parent::noscript or parent::template)]"))


def _joined(texts: SelectorList[Selector]) -> str:
    """The texts on one line, white space of any kind as single spaces."""
    return " ".join(" ".join(texts.getall()).split())
