"""The pending list beside the participating one: who applied, since when, and what came of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from db.records import Agreement, Event, Kind, Left, ListName, Publication, Status, Values
from pipeline.reading.gazetteer import Basis, locate
from pipeline.tracking import names
from pipeline.tracking.events import event_id
from pipeline.tracking.ledger import Ledger
from pipeline.tracking.names import Likeness

_SIGNED_BEFORE_LISTED = timedelta(days=60)


class Applications:
    """The applications that have not been signed yet, looked up by agency and model."""

    def __init__(self, applications: Iterable[Agreement]) -> None:
        self._by_key: dict[tuple[str | None, str, str | None], list[Agreement]] = {}
        self._by_model: dict[tuple[str | None, str | None], list[Agreement]] = {}
        for a in applications:
            v = a.values
            self._by_key.setdefault((v.state, names.base(v), v.support_model), []).append(a)
            self._by_model.setdefault((v.state, v.support_model), []).append(a)

    def had(self, values: Values) -> bool:
        """Whether this very agency name has an application for this model."""
        return (values.state, names.base(values), values.support_model) in self._by_key

    def find(self, values: Values, taken: Iterable[str] = ()) -> Agreement | None:
        """The open application that a new agreement comes from: the same name, else the nearest spelling of it.

        Three in a hundred are spelt differently on the two lists.
        """
        used = set(taken)
        key = (values.state, names.base(values), values.support_model)
        exact = [a for a in self._by_key.get(key, ()) if a.signed_as is None and a.id not in used]
        if exact:
            return max(exact, key=lambda a: (a.since, a.id))
        near = [
            (likeness, a.since, a.id, a)
            for a in self._by_model.get((values.state, values.support_model), ())
            if a.signed_as is None
            and a.id not in used
            and (likeness := names.compare(a.values, values)) >= Likeness.MISSPELT
        ]
        return max(near)[-1] if near else None


def withdrawals(ledger: Ledger, publication: Publication, after_days: int) -> tuple[list[Event], list[Agreement]]:
    """The applications that are now to be called withdrawn, and those found to have been signed after all.

    An application is withdrawn when it left the pending list at least `after_days` before `publication` (of either
    list), did not come back, and no agreement of that agency and model is in force or was first listed since; nor one
    of that very name in another state, where the application's state has no such place (ICE had the state wrong).
    Returns the events and the applications as they stand afterwards.
    """
    due = [
        a
        for a in ledger.gone(ListName.PENDING)
        if a.signed_as is None
        and a.left is not None
        and a.left.event is None
        and publication.published_on - a.left.on >= timedelta(days=after_days)
    ]
    if not due:
        return [], []
    agreements: dict[str | None, list[Agreement]] = {}
    bearers: dict[str, list[Agreement]] = {}
    for agreement in ledger.agreements[ListName.PARTICIPATING].values():
        agreements.setdefault(agreement.values.state, []).append(agreement)
        bearers.setdefault(names.base(agreement.values), []).append(agreement)
    events, settled = [], []
    for application in due:
        values = application.values
        elsewhere = (a for a in bearers.get(names.base(values), ()) if _had_the_wrong_state(values, a.values))
        signed = _signed_as(application, (*agreements.get(values.state, ()), *elsewhere))
        if signed is not None:
            settled.append(replace(application, signed_as=signed.id))
            continue
        if (left := application.left) is not None:
            events.append(_withdrawn(application, left, publication))
            settled.append(replace(application, left=replace(left, event=events[-1].id)))
    return events, settled


def _signed_as(application: Agreement, agreements: Iterable[Agreement]) -> Agreement | None:
    since = application.since - _SIGNED_BEFORE_LISTED
    for agreement in agreements:
        if agreement.values.support_model != application.values.support_model:
            continue
        if agreement.left is not None and agreement.first_on < since:
            continue
        if names.compare(application.values, agreement.values) >= Likeness.CONTAINED:
            return agreement
    return None


def _had_the_wrong_state(application: Values, agreement: Values) -> bool:
    """Whether an agency lies in no place of the application's state, and in one of the agreement's (Kershaw County)."""
    if None in (application.state, agreement.state) or application.state == agreement.state:
        return False
    here, there = (locate(v.state, None, v.agency, "Municipality") for v in (application, agreement))
    return here.basis is Basis.UNKNOWN and there.county_fips is not None


def _withdrawn(application: Agreement, left: Left, publication: Publication) -> Event:
    days = (publication.published_on - left.on).days
    return Event(
        id=event_id(
            Kind.WITHDRAWN,
            ListName.PENDING,
            left.workbook,
            None,
            left.last_workbook,
            left.last_row,
            left.on,
            publication.seen_at.isoformat(),
        ),
        kind=Kind.WITHDRAWN,
        status=Status.CONFIRMED,
        list=ListName.PENDING,
        detected_at=publication.seen_at,
        published_on=left.on,
        agreement=application.id,
        values=application.values,
        workbook=left.workbook,
        row=None,
        previous_workbook=left.last_workbook,
        previous_row=left.last_row,
        note=f"pending since {application.since}; left the list on {left.on}, not signed in the {days} days since",
    )
