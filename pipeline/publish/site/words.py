"""The site's texts in its languages: `text.toml` beside this file, dates and numbers as each language writes them.

A message is a text with {placeholders}; where it counts something, it has a form for one and one for any other number.
What comes out is HTML: the text and what is filled in are escaped, unless that is markup already.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

from markupsafe import Markup, escape

from pipeline.reports.counts import UNKNOWN
from pipeline.reports.escaping import printable

LANGUAGES = {"en": "English", "es": "Español"}
"""The languages that there are, each by its own name."""

Message = str | Mapping[str, str]


@cache
def catalogue() -> dict[str, dict[str, Message]]:
    """Message id -> language -> text, or its forms `one` and `other`."""
    text = resources.files(__package__).joinpath("text.toml").read_text(encoding="utf-8")
    return dict(_messages(tomllib.loads(text), ()))


def _messages(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Message]]]:
    for key, value in table.items():
        if key in LANGUAGES:
            yield ".".join(path), dict(table)
            return
        yield from _messages(value, (*path, key))


@dataclass(frozen=True, slots=True)
class Text:
    """A message as HTML: pieces of text, each with the name of the placeholder after it."""

    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, message: str) -> "Text":
        """Read a message; its pieces are escaped."""
        return cls(tuple((str(escape(text)), name) for text, name, _, _ in Formatter().parse(message)))

    def fill(self, values: Mapping[str, object]) -> Markup:
        """The message with its placeholders filled in; what is no markup yet is escaped."""
        return Markup(  # noqa: S704 - every piece is escaped
            "".join(text if name is None else f"{text}{escape(values[name])}" for text, name in self.pieces)
        )


class Words:
    """One language of the site."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = {ident: _forms(forms[language]) for ident, forms in catalogue().items()}
        self._months = str(self("date.months")).split()
        self._short_months = str(self("date.short_months")).split()
        self._dates: dict[tuple[str, str], Markup] = {}

    def __call__(self, ident: str, n: int | None = None, **values: object) -> Markup:
        """A message, filled in; `n` chooses the form and fills {n}.

        Raises:
            KeyError: there is no such message, or it has a placeholder that is not given.
        """
        forms = self._texts[ident]
        if n is not None:
            values["n"] = self.number(n)
        return forms["one" if n == 1 else "other"].fill(values)

    def has(self, ident: str) -> bool:
        """Whether there is such a message."""
        return ident in self._texts

    def number(self, value: int) -> str:
        """1,274: so in the English and the Spanish of the United States."""
        return f"{value:,}"

    def share(self, part: int, whole: int) -> Markup:
        """A part in percent with one decimal."""
        return self("number.share", value=f"{100 * part / max(whole, 1):.1f}")

    def date(self, day: str) -> Markup:
        """An ISO date in full: March 4, 2025."""
        return self._date("date.full", day, self._months)

    def short_date(self, day: str) -> Markup:
        """An ISO date for tables: Mar 4, 2025."""
        return self._date("date.short", day, self._short_months)

    def _date(self, form: str, day: str, months: list[str]) -> Markup:
        if (form, day) not in self._dates:
            year, month, date = _parts(day)
            found = self(form, year=f"{year:04}", month=months[month - 1], day=date) if date else escape(printable(day))
            self._dates[form, day] = found
        return self._dates[form, day]

    def month(self, month: str) -> Markup:
        """A month, `2025-07`: July 2025."""
        year, number = month.split("-")
        return self("date.month", year=year, month=self._months[int(number) - 1])

    def moment(self, instant: str) -> Markup:
        """A stored instant: March 4, 2025, 14:05 UTC."""
        return self("date.moment", date=self.date(instant[:10]), time=instant[11:16])

    def month_tick(self, month: str) -> Markup:
        """A month, `2025-07`, for the axis of a chart: Jul 2025."""
        year, number = month.split("-")
        return self("date.tick", year=year, month=self._short_months[int(number) - 1])

    def counted(self, value: str) -> Markup:
        """A value that agreements are counted by, which may be that ICE states none."""
        return self("column.not_stated") if value == UNKNOWN else escape(printable(value))

    def model(self, name: str | None) -> Markup:
        """A support model by ICE's name."""
        return escape(printable(name)) if name else self("agreement.model_unknown")


@cache
def words(language: str) -> Words:
    """The words of a language, made once."""
    return Words(language)


def _parts(day: str) -> tuple[int, int, int]:
    """Year, month and day of an ISO date; zeros for any other text."""
    try:
        year, month, date = map(int, day.split("-"))
    except ValueError:
        return 0, 0, 0
    return (year, month, date) if 1 <= month <= 12 else (0, 0, 0)


def _forms(message: Message) -> dict[str, Text]:
    if isinstance(message, str):
        text = Text.of(message)
        return {"one": text, "other": text}
    return {form: Text.of(text) for form, text in message.items()}
