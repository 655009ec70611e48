"""The entries of `subscribers` one by one: a mistake in one of them silences none of the others.

An entry that is wrong in any part is left out as a whole: half a filter would tell too much, or too little. Two that
share a name are both left out, since what waits under that name may be for either.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.notify.settings import OPERATORS, AlertSettings, Mistaken, checked, is_name, load, read_parts
from pipeline.settings_file import ConfigError


def load_right(path: Path | None, *, secrets: bool = True, lenient: bool = False) -> AlertSettings:
    """As `settings.load`, with the entries that are wrong in `mistaken` instead of `subscribers`.

    Raises:
        ConfigError: something is wrong that is not in one entry alone.
    """
    try:
        return load(path, secrets=secrets, lenient=lenient)
    except ConfigError as error:
        mistake = error
    parts = read_parts(path) if path is not None else {}
    entries = parts.pop("subscribers", None)
    if path is None or not isinstance(entries, list):
        raise mistake
    check = partial(checked, path=path, secrets=secrets, lenient=lenient)
    check(parts)
    shared = _shared([_name(entry) for entry in entries])
    right: list[Any] = []
    wrong: list[Mistaken] = []
    for number, entry in enumerate(entries):
        name = _name(entry)
        sentences = _mistakes(entries, number, parts, check)
        if name is not None and name.casefold() in shared:
            sentences.append(f"{path}: subscribers: two subscribers are called {name}")
        if sentences:
            wrong.append(Mistaken(number=number + 1, name=name, sentences=tuple(sentences)))
        else:
            right.append(entry)
    return check({**parts, "subscribers": right}).model_copy(update={"mistaken": tuple(wrong)})


def _mistakes(
    entries: Sequence[Any], number: int, parts: dict[str, Any], check: Callable[[dict[str, Any]], AlertSettings]
) -> list[str]:
    """What is wrong with an entry, by itself or beside the part `alerts`, which is right; a sentence a mistake."""
    before: list[Any] = [None] * number  # so that sentences count it as the file does
    try:
        check({"subscribers": [*before, entries[number]]})
    except ConfigError as error:
        found = zip(str(error).split("\n"), error.places, strict=True)
        if own := [line for line, place in found if place[:2] == ("subscribers", number)]:
            return own
    try:
        check({**parts, "subscribers": [entries[number]]})
    except ConfigError as error:
        return str(error).split("\n")
    return []


def _name(entry: Any) -> str | None:
    """Whose entry it is, where that can be read."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and is_name(name) and name.casefold() != OPERATORS else None


def _shared(names: Sequence[str | None]) -> set[str]:
    return {name for name, number in Counter(one.casefold() for one in names if one).items() if number > 1}
