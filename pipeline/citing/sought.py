"""An agency by its name: which spellings have it, which may mean it, and how alike they are."""

import json
import sqlite3

from rapidfuzz import fuzz

from pipeline.citing import bearers
from pipeline.reading.places import fold
from pipeline.tracking import names

NEAREST = 3
"""So many of the likeliest names are shown."""


class Sought:
    """An agency's name, or a part of it, and the state in which it is looked for; None is any."""

    def __init__(self, name: str, state: str | None) -> None:
        self.name = name
        self.state = state
        self._words = frozenset(fold(name).split()), frozenset(_folded(name, state).split())

    def is_name(self, spelling: str, state: str | None) -> bool:
        """Whether a spelling is the name in full."""
        return self._may_lie_in(state) and bearers.same_name(self.name, spelling, state)

    def has_words(self, spelling: str, state: str | None) -> bool:
        """Whether a spelling has all words of the name, as written or with abbreviations spelt out."""
        words = {*fold(spelling).split(), *_folded(spelling, state).split()}
        return any(some and some <= words for some in self._words)

    def names(self, row: sqlite3.Row) -> bool:
        """Whether a row or a version, in its state, has the words of the name."""
        return self._may_lie_in(row["state"]) and any(self.has_words(one, row["state"]) for one in spellings_of(row))

    def may_be(self, row: sqlite3.Row) -> bool:
        """Whether a row or a version has the words of the name, or a name that may mean it."""
        if not self._may_lie_in(row["state"]):
            return False
        return any(
            self.has_words(one, row["state"]) or bearers.may_be(self.name, self.state, one, row["state"], row["county"])
            for one in spellings_of(row)
        )

    def likeness(self, spelling: str, state: str | None) -> float:
        """How alike a spelling is, in percent, whatever the order of the words or the spaces between them."""
        wanted, other = _folded(self.name, self.state), _folded(spelling, state)
        together = fuzz.ratio(wanted.replace(" ", ""), other.replace(" ", ""))
        return round(max(fuzz.token_sort_ratio(wanted, other), together), 1)

    def _may_lie_in(self, state: str | None) -> bool:
        return self.state is None or state in (None, self.state)


def spellings_of(row: sqlite3.Row) -> set[str]:
    """The name of a row as read and, where it is a row of a workbook, as printed."""
    printed = {json.loads(row["cells"])[1]} if "cells" in row.keys() else set()  # noqa: SIM118 - a Row is no mapping
    return {row["agency"] or "", *printed}


def _folded(name: str, state: str | None) -> str:
    return names.parse(name, state).key if fold(name) else ""
