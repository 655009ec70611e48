"""One publication against the ledger: what changed, and the ledger after it.

This is what would happen if the publication were accepted; `history` decides whether it is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.records import (
    Agreement,
    Decision,
    Event,
    Kind,
    Left,
    Listing,
    ListName,
    Placement,
    Publication,
    Role,
    Status,
    StatusChange,
    Values,
)
from pipeline.reading.normalize import Reading
from pipeline.tracking import diff, names
from pipeline.tracking.applications import withdrawals
from pipeline.tracking.checks import Effect
from pipeline.tracking.corrections import Corrections
from pipeline.tracking.events import event_id
from pipeline.tracking.identity import exact_key
from pipeline.tracking.ledger import InForce, Ledger
from pipeline.tracking.names import Likeness
from pipeline.tracking.placing import Placing
from pipeline.tracking.policy import Policy

_SWITCH_DAYS = 30
"""A new agreement this soon after the end of another of the agency names it: a switch of model, or a new signing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a publication says, against a ledger, and the ledger after it. `effect` is None at the baseline; `touched`
    are the agreements that the two ledgers do not share.
    """

    ledger: Ledger
    effect: Effect | None
    placements: tuple[Placement, ...]
    events: tuple[Event, ...]
    status_changes: tuple[StatusChange, ...]
    touched: tuple[Agreement, ...]


def track(
    ledger: Ledger, publication: Publication, reading: Reading, policy: Policy, corrections: Corrections
) -> Draft:
    """Compare a publication with the ledger.

    The first publication of a list is the baseline: its listings open agreements without events.
    """
    placing = Placing(ledger, publication, reading, policy, corrections)
    placing.place()
    return _Telling(placing).draft()


class _Telling:
    """Turns the placing of a publication into events, and the ledger into the next one."""

    def __init__(self, placing: Placing) -> None:
        self.placing = placing
        self.publication = placing.publication
        self.agreements = dict(placing.ledger.agreements[placing.list_name])
        self.touched: dict[str, Agreement] = {}
        self.events: list[Event] = []
        self.status_changes: list[StatusChange] = []
        self.signed: dict[str, str] = {}
        self.vanish = self.changed = self.moved_links = 0
        self.gone_of: Counter[str] = Counter()
        self.linked: dict[str, set[str]] | None = None  # agreements by MOA, on the list before

    def draft(self) -> Draft:
        placing, listings = self.placing, self.placing.reading.listings
        rows_of: dict[str, list[int]] = {}
        for j in range(len(listings)):
            rows_of.setdefault(placing.owner[j], []).append(j)
        standing: dict[str, tuple[Listing, ...]] = {}
        for owner, indices in rows_of.items():
            standing[owner] = self._order(owner, [listings[j] for j in indices])
            self._listed(owner, standing[owner][0], placing.decisions.get(indices[0]))
        for owner in placing.before.listings if placing.before else ():
            if owner not in rows_of:
                self._unlisted(owner)
        self._confirm(rows_of)
        if placing.before is None:
            self.events.clear()
        self._name_switches()
        ledger = self._next_ledger(standing)
        withdrawn, settled = withdrawals(ledger, self.publication, placing.policy.withdrawn_after_days)
        if settled:
            pending = {**ledger.agreements[ListName.PENDING], **{a.id: a for a in settled}}
            ledger = replace(ledger, agreements={**ledger.agreements, ListName.PENDING: pending})
        touched = tuple((self.touched | {a.id: a for a in settled}).values())
        effect = None
        if placing.before is not None:
            worst, gone = max(self.gone_of.items(), key=lambda item: (item[1], item[0]), default=("", 0))
            known = placing.ledger.agreements[placing.list_name]
            had = sum((known[ident].values.state or "") == worst for ident in placing.before.listings) if gone else 0
            of_state = worst, gone, had
            in_force = len(placing.before.listings)
            effect = Effect(in_force, self.vanish, self.changed, of_state, placing.complete, self.moved_links)
        copies = {id(listing) for rows in standing.values() if len(rows) > 1 for listing in rows[1:]}
        roles = [Role.DUPLICATE if id(listing) in copies else Role.PRIMARY for listing in listings]
        placements = tuple(
            Placement(listing, placing.owner[j], roles[j], placing.decisions.get(j))
            for j, listing in enumerate(listings)
        )
        return Draft(ledger, effect, placements, (*self.events, *withdrawn), tuple(self.status_changes), touched)

    def _set(self, agreement: Agreement) -> None:
        self.agreements[agreement.id] = self.touched[agreement.id] = agreement

    def _order(self, owner: str, listings: list[Listing]) -> tuple[Listing, ...]:
        """The rows of an agreement, first the one whose values are in force: the one most like it as it stood."""
        if len(listings) > 1 and (known := self.agreements.get(owner)) is not None:
            key, county = exact_key(known.values), known.values.county
            listings = sorted(listings, key=lambda x: (exact_key(x.values) != key, x.values.county != county, x.row))
        return tuple(listings)

    def _listed(self, owner: str, primary: Listing, decision: Decision | None) -> None:
        """An agreement that the publication lists: new, returned, changed or as it was."""
        if owner in self.placing.opened:
            self._opened(owner, primary, decision)
            return
        agreement = self.agreements[owner]
        values = agreement.values
        if values is not primary.values:
            values = diff.settle(values, primary.values)
        if values == agreement.values and owner not in self.placing.returned:
            return
        changes, classes = diff.compare(agreement.values, values, self.placing.columns)
        self.changed += any(name in changes for name in diff.IDENTITY)
        self.moved_links += "moa_url" in changes and self._is_anothers(values.moa_url, owner)
        if owner in self.placing.returned:
            self._returned(agreement, values, primary.row, changes, classes, decision)
            return
        self._set(replace(agreement, values=values))
        if changes:
            row = self._previous_row(owner)
            self._tell(Kind.CHANGED, agreement, values, primary.row, row, decision, changes=changes, classes=classes)

    def _is_anothers(self, moa_url: str | None, owner: str) -> bool:
        """Whether a link was that of another agreement on the list before."""
        if moa_url is None:
            return False
        if self.linked is None:
            self.linked = {}
            for ident in self.placing.before.listings if self.placing.before else ():
                if (url := self.placing.ledger.agreements[self.placing.list_name][ident].values.moa_url) is not None:
                    self.linked.setdefault(url, set()).add(ident)
        return bool(self.linked.get(moa_url, set()) - {owner})

    def _previous_row(self, owner: str) -> int | None:
        before = self.placing.before
        return before.listings[owner][0].row if before and owner in before.listings else None

    def _opened(self, owner: str, primary: Listing, decision: Decision | None) -> None:
        opening, on = self.placing.opened[owner], self.publication.published_on
        agreement = Agreement(
            owner, self.placing.list_name, primary.values, on, self.publication.workbook, primary.row, since=on
        )
        self._set(agreement)
        if opening.renews is None:
            event = self._tell(opening.kind, agreement, primary.values, primary.row, None, decision)
        else:
            old = self.agreements[opening.renews]
            changes, classes = diff.compare(old.values, primary.values, self.placing.columns)
            classes = {name: "new signing" if name == "signed_on" else text for name, text in classes.items()}
            note = f"signed anew in place of the agreement of {old.values.signed_on}, listed since {old.first_on}"
            row = self._previous_row(opening.renews)
            event = self._tell(
                opening.kind, agreement, primary.values, primary.row, row, decision,
                changes=changes, classes=classes, note=note, related=old.id,
            )  # fmt: skip
        if self.placing.list_name is ListName.PARTICIPATING and self.placing.before is not None:
            application = self.placing.applications.find(primary.values, self.signed)
            if application is not None:
                self.signed[application.id] = owner
                self.events[-1] = replace(event, pending_since=application.since)

    def _returned(
        self,
        agreement: Agreement,
        values: Values,
        row: int,
        changes: diff.Changes,
        classes: Mapping[str, str],
        decision: Decision | None,
    ) -> None:
        """Listed again: `reinstated`; on the pending list a second application, or a mere gap (no event)."""
        left, on = agreement.left, self.publication.published_on
        if left is None:
            raise ValueError(f"{agreement.id} has not left its list")
        days = (on - left.on).days
        after = f" after {days} day{'s' * (days != 1)}" if days >= 0 else ""
        note = f"listed again{after}; absent since {left.on}"
        if self.placing.list_name is ListName.PENDING:
            again = left.event is not None or agreement.signed_as is not None
            since, signed = (on, None) if again else (agreement.since, agreement.signed_as)
            self._set(replace(agreement, values=values, left=None, since=since, signed_as=signed))
            if again:
                self._tell(Kind.PENDING, agreement, values, row, None, decision, note=note)
            return
        self._set(replace(agreement, values=values, left=None))
        if left.event is not None and days <= self.placing.policy.retract_within_days:
            self.status_changes.append(StatusChange(left.event, Status.RETRACTED, f"listed again on {on}"))
        self._tell(Kind.REINSTATED, agreement, values, row, None, decision, changes=changes, classes=classes, note=note)

    def _unlisted(self, owner: str) -> None:
        """An agreement that no row of the publication lists."""
        before, publication, agreement = self.placing.before, self.publication, self.agreements[owner]
        if before is None:
            raise ValueError("nothing vanishes at the baseline")
        row = before.listings[owner][0].row
        last = before.publication
        left = Left(publication.published_on, publication.workbook, last.published_on, last.workbook, row)
        self.vanish += owner not in self.placing.renewed
        self.gone_of[agreement.values.state or ""] += owner not in self.placing.renewed
        if self.placing.list_name is ListName.PARTICIPATING and owner not in self.placing.renewed:
            decision = self.placing.nearest.get(owner)
            note = f"listed since {agreement.first_on}, absent from {publication.file_name}"
            event = self._tell(
                Kind.TERMINATED, agreement, agreement.values, None, row, decision, status=Status.PROVISIONAL, note=note
            )
            left = replace(left, event=event.id, provisional=True)
        self._set(replace(agreement, left=left))

    def _confirm(self, listed: Mapping[str, object]) -> None:
        """A second publication without it bears a termination out."""
        for agreement in self.placing.ledger.gone(self.placing.list_name):
            left = agreement.left
            if left is not None and left.provisional and left.event and agreement.id not in listed:
                note = f"absent from {self.publication.file_name} too"
                self.status_changes.append(StatusChange(left.event, Status.CONFIRMED, note))
                self._set(replace(agreement, left=replace(left, provisional=False)))

    def _tell(
        self,
        kind: Kind,
        agreement: Agreement,
        values: Values,
        row: int | None,
        previous_row: int | None,
        decision: Decision | None,
        *,
        status: Status = Status.CONFIRMED,
        changes: diff.Changes | None = None,
        classes: Mapping[str, str] | None = None,
        note: str = "",
        related: str | None = None,
    ) -> Event:
        publication, before = self.publication, self.placing.before
        previous = before.publication.workbook if before else None
        seen = publication.seen_at.isoformat()
        event = Event(
            id=event_id(kind, publication.list, publication.workbook, row, previous, previous_row, seen),
            kind=kind,
            status=status,
            list=publication.list,
            detected_at=publication.seen_at,
            published_on=publication.published_on,
            agreement=agreement.id,
            values=values,
            workbook=publication.workbook,
            row=row,
            previous_workbook=previous,
            previous_row=previous_row,
            changes=changes or {},
            classes=classes or {},
            related=related,
            note=note,
            decision=decision,
        )
        self.events.append(event)
        return event

    def _name_switches(self) -> None:
        """Let an end and a beginning of one agency name each other: a switch of model, or a new signing."""
        if not any(e.kind is Kind.NEW for e in self.events):
            return
        recent = [a for a in self.agreements.values() if a.left and a.left.event and self._is_recent(a.left)]
        place = {e.id: n for n, e in enumerate(self.events)}
        for event in [e for e in self.events if e.kind is Kind.NEW]:
            old = next((a for a in recent if _same_agency(a.values, event.values)), None)
            if old is None or old.left is None:
                continue
            what = "signed anew" if old.values.support_model == event.values.support_model else "switch of model"
            gone = f"the {old.values.support_model} signed {old.values.signed_on} is not listed from {old.left.on} on"
            self.events[place[event.id]] = replace(self.events[place[event.id]], related=old.id, note=f"{what}: {gone}")
            if (at := place.get(old.left.event or "")) is not None:
                new = f"the {event.values.support_model} signed {event.values.signed_on} is new on the same list"
                end = self.events[at]
                self.events[at] = replace(end, related=event.agreement, note=f"{end.note}; {what}: {new}")

    def _is_recent(self, left: Left) -> bool:
        return (self.publication.published_on - left.on).days <= _SWITCH_DAYS

    def _next_ledger(self, standing: Mapping[str, tuple[Listing, ...]]) -> Ledger:
        ledger, name = self.placing.ledger, self.placing.list_name
        agreements: dict[ListName, Mapping[str, Agreement]] = {**ledger.agreements, name: self.agreements}
        if self.signed:
            pending = dict(agreements[ListName.PENDING])
            for application, agreement in self.signed.items():
                pending[application] = replace(pending[application], signed_as=agreement)
                self.touched[application] = pending[application]
            agreements[ListName.PENDING] = pending
        return replace(
            ledger,
            agreements=agreements,
            in_force={**ledger.in_force, name: InForce(self.publication, self.placing.reading.columns, standing)},
            accepted={**ledger.accepted, name: ledger.accepted.get(name, frozenset()) | {self.publication.workbook}},
        )


def _same_agency(one: Values, other: Values) -> bool:
    return one.state == other.state and names.compare(one, other) >= Likeness.REWORDED
