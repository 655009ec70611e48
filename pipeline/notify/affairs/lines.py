"""Texts from anywhere -> one printable line of a length that fits a message."""

from datetime import datetime, timedelta

from pipeline.reports.escaping import printable

_TITLE = 160
_DETAIL = 400


def title(text: str) -> str:
    """The text as the title of an affair."""
    return _cut(text, _TITLE)


def detail(text: str) -> str:
    """The text as one of the lines below."""
    return _cut(text, _DETAIL)


def days(start: datetime, end: datetime) -> float:
    """How many days lie between two moments."""
    return (end - start) / timedelta(days=1)


def _cut(text: str, most: int) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
