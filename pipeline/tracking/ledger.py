"""What is known at one point of the history: the agreements and applications, and which publications are in force.

A ledger is a value: `history.advance` takes one and gives the next. It holds what the next publication needs.
"""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from db.records import Agreement, Listing, ListName, Publication, Values
from pipeline.reading.normalize import Reading
from pipeline.reading.places import fold


@dataclass(frozen=True, slots=True)
class InForce:
    """The last accepted publication of a list: its columns, and the listings of each agreement, the primary first."""

    publication: Publication
    columns: frozenset[str]
    listings: Mapping[str, tuple[Listing, ...]]


@dataclass(frozen=True, slots=True)
class Held:
    """A publication that waits, with what it says."""

    publication: Publication
    reading: Reading


def _empty() -> dict[ListName, dict[str, Agreement]]:
    return {name: {} for name in ListName}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Agreements by id for each list, the publications in force, those held, and every workbook accepted so far."""

    agreements: Mapping[ListName, Mapping[str, Agreement]] = field(default_factory=_empty)
    in_force: Mapping[ListName, InForce] = field(default_factory=dict)
    held: Mapping[ListName, Held] = field(default_factory=dict)
    accepted: Mapping[ListName, frozenset[str]] = field(default_factory=dict)

    def gone(self, name: ListName) -> list[Agreement]:
        """The agreements that a list no longer has."""
        return [a for a in self.agreements[name].values() if a.left is not None]


def new_id(name: ListName, values: Values, taken: Container[str]) -> str:
    """An id from the first listing: a hash of list, state, agency, model and signing date as first listed.

    Listings that agree in all of these (a return after years, two rows that ICE means as two) get ids in order.
    """
    words = (name, values.state, fold(values.agency), values.support_model, values.signed_on)
    count = 0
    while True:
        digest = hashlib.sha256("|".join(map(str, (*words, count))).encode()).hexdigest()
        candidate = f"{'a' if name is ListName.PARTICIPATING else 'p'}-{digest[:10]}"
        if candidate not in taken:
            return candidate
        count += 1
