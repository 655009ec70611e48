"""Texts from ICE's cells and file names -> texts that are harmless where they are shown.

Anybody who can get a name onto ICE's list could put a terminal escape, a spreadsheet formula or a script into it.
"""

import re
from urllib.parse import quote, urlsplit

_MARKDOWN = re.compile(r"[\\`*_{}\[\]#!|~$]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_AUTOLINK = re.compile(r"(https?|ftp)://|\bwww\.", re.IGNORECASE)
_CHAT = str.maketrans(
    {
        "@": "(at)",
        "#": "♯",
        "<": "‹",
        ">": "›",
        "[": "(",
        "]": ")",
        "`": "’",
        "*": "∗",
        "_": "ˍ",
        "~": "∼",
        "|": "¦",
        "\\": "∖",
    }
)
_ENTITY = re.compile(r"&(?=\w+;)")
_SHORTCODE = re.compile(r":(?=[\w+-]+:|//)")
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d_])(?!(xlsx?|pdf)(?![\w-]|\.\w))", re.IGNORECASE)
_LOOSE = re.compile(r"[@!*~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet program may take for a formula; some read full-width signs as their own."""


def printable(text: str) -> str:
    """One line without control characters, escapes or marks that reorder text: spaces or U+FFFD stand for them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def markdown(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, no table cell's end, no link made of an address."""
    plain = _MARKDOWN.sub(r"\\\g<0>", printable(text)).translate(_ENTITIES)
    return _AUTOLINK.sub(lambda found: found[0].replace("://", "&#58;//").replace(".", "&#46;"), plain)


def chat(text: str) -> str:
    """A text in which no chat service finds anything to obey: no mention, markup, emoji, hidden link or address.

    Services differ in what they obey and in how it is escaped, so what could mean something stands as a look-alike:
    `@` (who is mentioned is disturbed) and `#` (hashtags), `< > [ ] |` (links under another text, Slack's commands,
    spoilers), backquotes, `* _ ~` and the backslash (markup), the colon of `:word:` and `://`. A space parts what could
    be an entity (`& lt;`) or the name of a site (`evil. example`); names of workbooks and PDFs stay whole.
    """
    plain = printable(text).replace("->", "→").translate(_CHAT)
    return _DOMAIN.sub(". ", _SHORTCODE.sub("∶", _ENTITY.sub("& ", plain)))


def chat_link(url: str | None) -> str | None:
    """The address, if it may be a link, with nothing in it that a chat service takes for markup or a mention.

    An underscore between letters or digits, which every MOA's address has, is no markup and stays.
    """
    link = web_link(url)
    return link and _LOOSE.sub(lambda found: f"%{ord(found[0]):02X}", link)


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
