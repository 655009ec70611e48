"""Where each listing of a publication belongs: to a listed agreement, to one that had left, or to a new one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, cached_property
from operator import itemgetter

from db.records import Agreement, Decision, Kind, Listing, ListName, Publication, Values
from pipeline.reading.links import document
from pipeline.reading.normalize import Reading
from pipeline.tracking import diff, names
from pipeline.tracking.applications import Applications
from pipeline.tracking.corrections import Corrections
from pipeline.tracking.evidence import ACCEPT, ACCEPT_UNDATED, MARGIN, Surroundings, Weight, is_resigning
from pipeline.tracking.identity import Pairing, exact_key, pair_exact, pair_rest
from pipeline.tracking.ledger import InForce, Ledger, new_id
from pipeline.tracking.names import Likeness
from pipeline.tracking.policy import Policy

_DUPLICATE_DAYS = 3
"""Two rows of one agency and model whose dates are at most this far apart are one agreement entered twice."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A listing that opens an agreement: its index, the kind of its event, and the agreement that it renews."""

    index: int
    kind: Kind
    renews: str | None = None


@dataclass
class Placing:
    """One publication against a ledger. Indices count the listings of the publication.

    After `place`: `owner` gives the agreement of each listing, `decisions` the reasons where it was not an exact match,
    `opened` the agreements that begin, `returned` those listed again, `renewed` those replaced by a new signing (old
    id to new id), `nearest` the best pair that was not taken, for agreements that vanish and for listings that open.
    """

    ledger: Ledger
    publication: Publication
    reading: Reading
    policy: Policy
    corrections: Corrections
    owner: dict[int, str] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    opened: dict[str, Opening] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    renewed: dict[str, str] = field(default_factory=dict)
    nearest: dict[str, Decision] = field(default_factory=dict)
    complete: bool = True

    @property
    def list_name(self) -> ListName:
        """The list of the publication."""
        return self.publication.list

    @cached_property
    def before(self) -> InForce | None:
        """The publication in force, None at the baseline."""
        return self.ledger.in_force.get(self.list_name)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that this publication and the one before both have."""
        return self.reading.columns & self.before.columns if self.before else self.reading.columns

    @cached_property
    def applications(self) -> Applications:
        """The pending list, by agency and model."""
        return Applications(self.ledger.agreements[ListName.PENDING].values())

    @property
    def _accept(self) -> float:
        return ACCEPT if self.list_name is ListName.PARTICIPATING else ACCEPT_UNDATED

    @cached_property
    def _known(self) -> Mapping[str, Agreement]:
        return self.ledger.agreements[self.list_name]

    def place(self) -> None:
        """Decide for every listing."""
        rows, owners = self._rows()
        listings = self.reading.listings
        exact = pair_exact(rows, [listing.values for listing in listings])
        if self.corrections:
            exact = [(i, j) for i, j in exact if self._verdict(rows[i], owners[i], listings[j]) is not False]
        fresh = sorted(set(range(len(listings))) - {j for _, j in exact})
        returning = self._exact_returns(fresh)
        pairing = pair_rest(
            rows,
            [listing.values for listing in listings],
            exact,
            lambda: self._surroundings(rows),
            self._accept,
            lambda i, j: False if j in returning else self._verdict(rows[i], owners[i], listings[j]),
        )
        self.complete = pairing.complete
        self._continue(pairing, rows, owners)
        for j, owner in returning.items():
            self._return(j, owner, Decision("returned", 10.0, {"name": "the same agency, model and date"}))
        self._take_returns()
        self._take_duplicates()
        self._note_nearest(pairing, owners)
        self._open_rest()

    def _left_over(self) -> list[int]:
        return [j for j in range(len(self.reading.listings)) if j not in self.owner]

    def _rows(self) -> tuple[list[Values], list[str]]:
        """The rows of the list in force in worksheet order, and the agreement of each."""
        if self.before is None:
            return [], []
        rows = []
        for ident, listings in self.before.listings.items():
            for listing in listings:
                values = listing.values
                if values.state is None or values.support_model is None or values.signed_on is None:
                    values = diff.settle(self._known[ident].values, values)
                rows.append((listing.row, ident, values))
        rows.sort(key=itemgetter(0, 1))
        return [values for _, _, values in rows], [owner for _, owner, _ in rows]

    def _first_on(self, owner: str) -> date:
        return self._known[owner].first_on

    def _verdict(self, old: Values, owner: str, new: Listing) -> bool | None:
        if not self.corrections or self.before is None:
            return None
        row = self.before.listings[owner][0].row
        return self.corrections.verdict(self.publication, old, (self.before.publication.workbook, row), new)

    def _surroundings(self, rows: Sequence[Values]) -> Surroundings:
        lists = rows, [listing.values for listing in self.reading.listings]

        @cache
        def places() -> tuple[set[object], set[object]]:
            return {_place(values) for values in lists[0]}, {_place(values) for values in lists[1]}

        @cache
        def links() -> tuple[Counter[str | None], Counter[str | None]]:
            return Counter(document(v.moa_url) for v in lists[0]), Counter(document(v.moa_url) for v in lists[1])

        return Surroundings(
            both_listed=lambda v, n: _place(v) in places()[1] or _place(n) in places()[0],
            link_shared=lambda moa: any(count[moa] > 1 for count in links()),
            was_pending=lambda n: self.list_name is ListName.PARTICIPATING and self.applications.had(n),
        )

    def _may_return(self, fresh: Iterable[int]) -> list[Agreement]:
        """The agreements that left lately enough, of the states and models of these listings."""
        wanted = {(v.state, v.support_model) for v in (self.reading.listings[j].values for j in fresh)}
        since = self.publication.published_on - timedelta(days=self.policy.reinstate_within_days)
        return [
            a
            for a in self._known.values()
            if a.left is not None and (a.values.state, a.values.support_model) in wanted and a.left.on >= since
        ]

    def _exact_returns(self, fresh: Sequence[int]) -> dict[int, str]:
        """Listings that name an agreement that had left, letter for letter: they are no respelling of another."""
        gone = self._may_return(fresh) if fresh else []
        pairs = pair_exact([a.values for a in gone], [self.reading.listings[j].values for j in fresh])
        return {fresh[j]: gone[i].id for i, j in pairs}

    def _continue(self, pairing: Pairing, rows: Sequence[Values], owners: Sequence[str]) -> None:
        """Give the paired listings to their agreements; a pair that is a new signing opens an agreement instead."""
        exactly = {owners[found.old] for found in pairing.pairs if found.weight is None}
        for found in pairing.pairs:
            owner = owners[found.old]
            if found.weight is None:
                self.owner[found.new] = owner
                continue
            old, listing = rows[found.old], self.reading.listings[found.new]
            if owner in exactly and old.support_model != listing.values.support_model:
                continue  # a row that repeated another is made a row of its own: that says nothing of the agreement
            decision = self._decision("continued", found.weight, old, listing.values)
            if self._renews(old, listing.values, owner, found.weight):
                self.decisions[found.new] = replace(decision, rule="renewed", review=True)
                self.renewed[owner] = self._open(Opening(found.new, Kind.RENEWED, owner))
                continue
            self.owner[found.new], self.decisions[found.new] = owner, decision

    def _renews(self, old: Values, new: Values, owner: str, weight: Weight) -> bool:
        return (
            self.list_name is ListName.PARTICIPATING
            and owner not in self.renewed
            and self.before is not None
            and len(self.before.listings[owner]) == 1
            and weight.likeness >= Likeness.REWORDED
            and is_resigning(old, new, self._first_on(owner), self.publication.published_on)
        )

    def _decision(self, rule: str, weight: Weight, old: Values, new: Values) -> Decision:
        """A decision goes to review near the border, and where the name, the model or the state says otherwise."""
        margin = weight.score - self._accept
        doubtful = weight.likeness <= Likeness.RELATED or old.support_model != new.support_model
        moved = old.state != new.state and None not in (old.state, new.state)
        return Decision(rule, round(margin, 1), weight.evidence, abs(margin) < MARGIN or doubtful or moved)

    def _take_returns(self) -> None:
        """Give listings to agreements that had left: much the same name, the same model, and the date or document."""
        rest = self._left_over()
        gone = [a for a in self._may_return(rest) if a.id not in self.returned] if rest else []
        if not gone:
            return
        listings = [self.reading.listings[j] for j in rest]
        old_rows, new_rows = [a.values for a in gone], [listing.values for listing in listings]
        pairing = pair_rest(old_rows, new_rows, (), lambda: self._surroundings(()), self._accept)
        for found in pairing.pairs:
            old, new = gone[found.old], listings[found.new].values
            if found.weight is not None and _is_return(old.values, new, found.weight):
                self._return(rest[found.new], old.id, self._decision("returned", found.weight, old.values, new))

    def _return(self, index: int, owner: str, decision: Decision) -> None:
        self.owner[index], self.decisions[index] = owner, decision
        self.returned.add(owner)

    def _take_duplicates(self) -> None:
        """Give listings that repeat a listed agreement, or a listing above them, to its agreement."""
        rest = self._left_over()
        if not rest:
            return
        listings = self.reading.listings
        holders: dict[tuple[str | None, str | None], list[int]] = {}
        for j in [*sorted(self.owner), *rest]:
            values = listings[j].values
            near = holders.setdefault((values.state, values.support_model), [])
            repeated = (
                next((i for i in near if _repeats(listings[i].values, values)), None) if j not in self.owner else None
            )
            if repeated is None:
                near.append(j)
            else:
                self._duplicate(repeated, j)

    def _duplicate(self, of: int, index: int) -> None:
        if of not in self.owner:
            self._open(Opening(of, self._opening_kind))
        first, values = self.reading.listings[of], self.reading.listings[index].values
        exact = exact_key(values) == exact_key(first.values)
        evidence = {"of row": str(first.row), "date": f"{first.values.signed_on}, {values.signed_on}"}
        self.owner[index] = self.owner[of]
        self.decisions[index] = Decision("duplicate", 3.0 if exact else 1.0, evidence, review=not exact)

    @property
    def _opening_kind(self) -> Kind:
        return Kind.NEW if self.list_name is ListName.PARTICIPATING else Kind.PENDING

    def _note_nearest(self, pairing: Pairing, owners: Sequence[str]) -> None:
        """Keep the best pair that was not taken, where it came near: it is what a person would look at."""
        for i, (j, weight) in pairing.best_for_vanished.items():
            if (margin := weight.score - self._accept) > -2 * MARGIN:
                evidence = {"nearest": f"row {self.reading.listings[j].row}", **weight.evidence}
                self.nearest[owners[i]] = Decision("ended", round(margin, 1), evidence, margin > -MARGIN)
        for j, (i, weight) in pairing.best_for_appeared.items():
            margin = weight.score - self._accept
            if margin > -2 * MARGIN and j not in self.owner:
                evidence = {"nearest": owners[i], **weight.evidence}
                self.decisions[j] = Decision("opened", round(margin, 1), evidence, margin > -MARGIN)

    def _open_rest(self) -> None:
        for j in self._left_over():
            self._open(Opening(j, self._opening_kind))

    def _open(self, opening: Opening) -> str:
        values = self.reading.listings[opening.index].values
        ident = new_id(self.list_name, values, self._known.keys() | self.opened.keys())
        self.owner[opening.index] = ident
        self.opened[ident] = opening
        return ident


def _place(values: Values) -> tuple[str | None, str, frozenset[str]]:
    name = names.of(values)
    return values.state, name.compact, name.bodies


def _is_return(old: Values, new: Values, weight: Weight) -> bool:
    same_document = document(old.moa_url) is not None and document(old.moa_url) == document(new.moa_url)
    undated = new.signed_on is None
    return (
        old.support_model == new.support_model
        and old.state == new.state
        and weight.likeness >= (Likeness.REWORDED if undated else Likeness.MISSPELT)
        and (_days_apart(old, new) <= _DUPLICATE_DAYS or same_document)
    )


def _days_apart(old: Values, new: Values) -> int:
    if old.signed_on is None or new.signed_on is None:
        return 0 if old.signed_on == new.signed_on else _DUPLICATE_DAYS + 1
    return abs((old.signed_on - new.signed_on).days)


def _repeats(one: Values, other: Values) -> bool:
    """Whether two listings are one agreement entered twice: no other document, and the dates days apart at most."""
    if one.signed_on is not None and other.signed_on is not None:
        if abs((one.signed_on - other.signed_on).days) > _DUPLICATE_DAYS:
            return False
        both = document(one.moa_url), document(other.moa_url)
        if one.signed_on != other.signed_on and None not in both and both[0] != both[1]:
            return False
    return names.compare(one, other) >= Likeness.REWORDED
