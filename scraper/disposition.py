"""The name that a server gives to a file: Content-Disposition (RFC 6266), else the last segment of its URL. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, unquote_to_bytes, urlsplit

NAME_LENGTH = 200

_PARAMETER = re.compile(r';\s*(filename\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)', re.IGNORECASE)
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.IGNORECASE)


def file_name(content_disposition: str | None, url: str) -> str | None:
    """The name of a download, safe to print and to compare, or None if there is none.

    `filename*` (RFC 8187) goes before `filename`, as RFC 6266 says in section 4.3; one in another character set than
    UTF-8 or ISO-8859-1, or that does not decode, is passed over.
    """
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(content_disposition or ""):
        parameters.setdefault(name.lower(), value.strip())
    candidates = (
        _extended(parameters.get("filename*", "")),
        _quoted(parameters.get("filename", "")),
        unquote(urlsplit(url).path.rsplit("/", 1)[-1]),
    )
    return next((safe for candidate in candidates if (safe := _sanitised(candidate))), None)


def _extended(value: str) -> str:
    match = _EXTENDED.fullmatch(value.strip('"'))
    if match is None:
        return ""
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeDecodeError:
        return ""


def _quoted(value: str) -> str:
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _sanitised(name: str) -> str:
    """Without folders, control and direction-changing characters or leading dots; at most NAME_LENGTH characters."""
    base = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in base if unicodedata.category(character)[0] != "C")
    plain = printable.strip().lstrip(". ")
    if len(plain) <= NAME_LENGTH:
        return plain
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(extension) > 10:
        return plain[:NAME_LENGTH]
    return stem[: NAME_LENGTH - len(extension) - 1] + dot + extension
