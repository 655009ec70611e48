"""Addresses of agencies that were once given or might be looked for, and where they lead now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.publish.site.model import Agency, by_name
from pipeline.tracking.agencies import slug


@dataclass(frozen=True, slots=True)
class Moved:
    """An address below agency/ that is no agency's own, and the agencies that are meant."""

    slug: str
    targets: tuple[Agency, ...]


def moved(agencies: Sequence[Agency], earlier: Mapping[str, Sequence[str]]) -> list[Moved]:
    """The redirects: from each other name that an agency had or has, and from ids that an earlier site had.

    Args:
        earlier: id -> the agreements that the agency of that id had, of every id that a site was ever written with.
            The agreements' ids stay when older lists move the agency's.
    """
    own = {agency.id for agency in agencies}
    found: dict[str, list[Agency]] = {}
    for address, agency in [*_by_names(agencies), *_by_agreements(agencies, earlier)]:
        targets = found.setdefault(address, [])
        if address not in own and agency not in targets:
            targets.append(agency)
    return [Moved(address, tuple(sorted(found[address], key=by_name))) for address in sorted(found) if found[address]]


def _by_names(agencies: Iterable[Agency]) -> Iterator[tuple[str, Agency]]:
    for agency in agencies:
        for name in (agency.name, *agency.former_names):
            if address := slug(agency.state, name):
                yield address, agency


def _by_agreements(agencies: Iterable[Agency], earlier: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Agency]]:
    holder = {one.agreement_id: agency for agency in agencies for one in agency.timelines}
    for address, agreements in earlier.items():
        for ident in agreements:
            if ident in holder:
                yield address, holder[ident]
