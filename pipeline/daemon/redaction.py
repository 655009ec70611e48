"""Secrets that must not be repeated, in whatever form somebody else's text may hold them."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.settings_file import ConfigError, read_yaml

SHORTEST = 4
"""A shorter text is no secret: hiding it would take half of every line."""

_TOKEN = re.compile(r"(?=\D*\d)[^/]{8,}|[^/]{16,}")
"""A part of an address that looks made up, and is perhaps repeated without the rest."""

_SECRET_KEYS = frozenset({"password", "apprise", "webhook", "secret", "exec", "heartbeat"})
"""Keys of config.yaml whose texts are secrets even where they stand in the file."""

_SPACE = r"[\s+]"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Redaction:
    """Puts `…` where one of the secrets stands in a text: as it is, escaped, or percent-encoded, in either case."""

    def __init__(self) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these too, and of addresses the telling parts; what is shorter than four characters is not hidden."""
        parts = (part for secret in secrets for part in (secret, secret.strip(), *_parts(secret)))
        found = {part: _pattern(part) for part in parts if len(part) >= SHORTEST and part not in self._patterns}
        self._patterns = self._patterns | found

    def __call__(self, text: str) -> str:
        """The text without them."""
        spans = sorted(found.span() for pattern in self._patterns.values() for found in pattern.finditer(text))
        pieces, end = [], 0
        for first, last in spans:
            if first >= end:
                pieces += [text[end:first], "…"]
            end = max(end, last)
        return "".join([*pieces, text[end:]])


def _parts(secret: str) -> Iterator[str]:
    """What of an address is secret by itself: the login, the path, made-up words in it, and the query's values."""
    if "://" not in secret:
        return
    try:
        address = urlsplit(secret.strip())
    except ValueError:
        return
    beyond = f"{address.path}?{address.query}" if address.query else address.path
    yield from (beyond, address.path, unquote(address.username or ""), unquote(address.password or ""))
    yield from (value for _, value in parse_qsl(address.query))
    places = address.path if address.scheme in ("http", "https") else f"{address.netloc.rpartition('@')[2]}/{beyond}"
    yield from (place for place in unquote(places).split("/") if _TOKEN.fullmatch(place))


def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_piece, re.findall(r"\\+|\s+|.", secret))), re.IGNORECASE)


def _piece(piece: str) -> str:
    """A character, or a run of backslashes or spaces, in all its forms.

    A run stands for a shorter one of spaces and any of backslashes, and no two forms in it begin alike: there is hardly
    more than one way to find it, so that no text takes long.
    """
    forms = [form for character in dict.fromkeys(piece) for form in _forms(character)]
    if piece.isspace():
        return f"(?:{'|'.join([*dict.fromkeys(forms), _SPACE])}){{1,{len(piece)}}}"
    several = "++" if piece.startswith("\\") else ""
    return f"(?:{'|'.join(forms)}){several}"


def _forms(character: str) -> list[str]:
    """As an address encodes it, as it is, as JSON and Python escape it, and as a printable line shows it."""
    encoded = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "replace"))
    if character == "\\":
        return [encoded, r"\\"]
    names = dict.fromkeys(form(character)[1:-1].lstrip("\\") for form in (json.dumps, repr, ascii))
    escaped = [rf"\\*+{re.escape(name)}" for name in names if name != character or character in "\"'"]
    if character.isspace():
        return [encoded, *escaped]
    return [encoded, re.escape(character), *escaped, *([] if character.isprintable() else ["\ufffd"])]


def in_config(path: Path | None) -> Iterator[str]:
    """What of a config file must not be repeated: all that it takes from the environment, and what is under the keys
    of secrets. Of a file that cannot be read nothing is used either.
    """
    try:
        yield from _secrets(read_yaml(path) if path else {}, False)
    except ConfigError:
        return


def _secrets(value: Any, is_secret: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, is_secret or key in _SECRET_KEYS)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, is_secret)
    elif value is not None:
        text = str(value)
        yield from (os.environ.get(name, "") for name in _VARIABLE.findall(text))
        if is_secret:
            yield _VARIABLE.sub(lambda found: os.environ.get(found[1], ""), text)


hidden = Redaction()
"""The secrets of this process."""
