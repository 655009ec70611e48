"""Which agreements and applications belong to one agency, and the id under which the agency is known for good.

Two are of one agency if their latest names agree, typography and usual abbreviations apart, in one state. The id comes
from the first name that the agency was listed under, so that a respelling by ICE does not change it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.reading.places import fold
from pipeline.tracking import names


@dataclass(frozen=True, slots=True)
class Member:
    """An agreement or application: `key` is the caller's, `spellings` are (state, agency) from first to latest.

    An application that was signed belongs where the agreement does that came of it: `signed_as`, by key.
    """

    key: int
    spellings: Sequence[tuple[str | None, str]]
    signed_as: int | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency: its id, its latest state and name, the names that it had before, and its members' keys, oldest first.

    `newest` is the key of the member whose values are the latest.
    """

    id: str
    state: str | None
    name: str
    former_names: tuple[str, ...]
    members: tuple[int, ...]
    newest: int


def group(members: Iterable[Member]) -> list[Agency]:
    """Group members, given from the first listed to the last, into agencies, in the order of their first listing."""
    by_key = {member.key: member for member in members}
    found: dict[tuple[str | None, str], list[Member]] = {}
    for member in by_key.values():
        head = by_key.get(member.signed_as, member) if member.signed_as is not None else member
        found.setdefault(_ident(*head.spellings[-1]), []).append(member)
    taken: set[str] = set()
    return [_agency(own, taken) for own in found.values()]


def _ident(state: str | None, name: str) -> tuple[str | None, str]:
    return state, names.parse(name, state).key if fold(name) else name


def _agency(members: Sequence[Member], taken: set[str]) -> Agency:
    heads = [member for member in members if member.signed_as is None] or list(members)
    newest = heads[-1]
    state, name = newest.spellings[-1]
    spellings = dict.fromkeys(spelling for member in members for _, spelling in member.spellings)
    ident = slug(*members[0].spellings[0])
    number = 1
    while (one := ident if number == 1 else f"{ident}-{number}") in taken:
        number += 1
    taken.add(one)
    former = tuple(spelling for spelling in spellings if spelling != name)
    return Agency(one, state, name, former, tuple(member.key for member in members), newest.key)


def slug(state: str | None, name: str) -> str:
    """A state and a name as part of a web address: `fl-alachua-police-department`; at most 80 characters."""
    words = f"{state or 'xx'} {name}".replace("&", " and ")
    return "-".join(w for w in fold(words).split() if w.isascii())[:80].strip("-")
