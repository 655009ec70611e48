"""Whether a subscriber asked to hear of an event."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from db.records import Kind, Status
from pipeline.notify.settings import ChannelSettings, Filters, Subscriber
from pipeline.reading.places import fold
from pipeline.reports.record import LoggedEvent

_COUNTY = ("county", "parish", "city and borough", "borough", "municipality", "census area", "municipio")
_SAINT = re.compile(r"\bsaint\b")


def accepts(wanted: Filters, event: LoggedEvent) -> bool:
    """Whether an event is one of those asked for, as it stands now; where a value changed, before or after will do.

    A county is also looked for in the agency's name, where ICE gives no county.
    """
    if event.list not in wanted.lists or (event.kind is not Kind.CHANGED and event.kind not in wanted.kinds):
        return False
    if event.kind is Kind.CHANGED and wanted.corrections == "none":
        return False
    return (
        _any(wanted.states, _values(event, "state", event.state))
        and _any(wanted.models, _values(event, "support_model", event.support_model))
        and _matches(wanted.agencies, _values(event, "agency", event.agency))
        and _in_county(wanted.counties, event)
    )


def channels(subscriber: Subscriber, event: LoggedEvent) -> list[ChannelSettings]:
    """The channels on which a subscriber hears of an event that was accepted: mere corrections only where asked."""
    everywhere = event.kind is not Kind.CHANGED or subscriber.corrections == "all"
    return [channel for channel in subscriber.channels if everywhere or channel.digest]


def waits(wanted: Filters, event: LoggedEvent) -> bool:
    """Whether an event is told only once a second list bears it out."""
    return event.status is Status.PROVISIONAL and not wanted.provisional


def _values(event: LoggedEvent, field: str, value: str | None) -> set[str]:
    """A field's value after the event, and before it where that differs."""
    return {text for text in (value, *event.changes.get(field, ())) if text}


def _any(wanted: Iterable[str], values: set[str]) -> bool:
    return not wanted or not values.isdisjoint(wanted)


def _matches(patterns: tuple[str, ...], names: set[str]) -> bool:
    """Whether a name has the words of a pattern (`sheriff` is in `Sheriff's Office`), or is as one with `*` says.

    Case, accents and punctuation do not count.
    """
    folded = [fold(name) for name in names]
    return not patterns or any(_fits(name, pattern) for pattern in patterns for name in folded)


def _fits(name: str, pattern: str) -> bool:
    if "*" not in pattern:
        words = fold(pattern)
        return any(f" {words}{possessive} " in f" {name} " for possessive in ("", "s"))
    return fnmatchcase(name, "*".join(map(fold, pattern.split("*"))))


def _in_county(counties: tuple[str, ...], event: LoggedEvent) -> bool:
    if not counties:
        return True
    wanted = {_bare(county) for county in counties}
    given = {_bare(county) for county in _values(event, "county", event.county)}
    if given:
        return not wanted.isdisjoint(given)
    names = [f" {_SAINT.sub('st', fold(name))} " for name in _values(event, "agency", event.agency)]
    return any(f" {county} " in name for county in wanted for name in names)


def _bare(county: str) -> str:
    """A county's name without the word for county: `kerr` of `Kerr County`; `st` for `saint`, as the Census has it."""
    name = _SAINT.sub("st", fold(county))
    for word in _COUNTY:
        if name.endswith(f" {word}"):
            return name.removesuffix(f" {word}")
    return name
