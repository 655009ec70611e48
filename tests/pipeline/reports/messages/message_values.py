"""Messages for the tests: Kerr County's termination and what else can happen, with documents and evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from db.records import Kind, ListName, Status
from pipeline.reports.messages.content import Affair, Evidence, Message, MessageKind, Occasion, Told
from pipeline.reports.record import LoggedEvent
from tests.pipeline.reports.story import MOA, event

JAIL, TASK, WARRANT = "Jail Enforcement Model", "Task Force Model", "Warrant Service Officer"
LATER = "participatingAgencies06302025am.xlsx"
PAGE = "https://www.ice.gov/identify-and-arrest/287g"


def told(of: LoggedEvent | None = None, occasion: Occasion = Occasion.TOLD, **fields: object) -> Told:
    """An event as it is told; without one, Kerr County's termination, varied."""
    one = of or event(**{"still_listed": (), **fields})
    previous = Evidence(
        one.previous_workbook_name or "",
        one.previous_workbook_sha256 or "",
        one.previous_row,
        "2025-06-26T22:00:00Z",
        "cd/" + "cd" * 32 + ".xlsx",
    )
    shown = Evidence(
        one.workbook_name,
        one.workbook_sha256,
        one.row,
        "2025-06-27T14:00:00Z",
        "https://archive.example.org/" + "ab" * 32 + ".xlsx",
    )
    moa = MOA if one.list is ListName.PARTICIPATING else None
    return Told(one, occasion, moa, None, "2025-05-12", shown, previous)


def new(agency: str = "Clay County Sheriff's Office", state: str | None = "FL", **fields: object) -> Told:
    """A new agreement that was pending."""
    values = {
        "event_id": f"e-new-{agency}-{state}",
        "kind": Kind.NEW,
        "agreement_id": f"a-new-{agency}-{state}",
        "agency": agency,
        "state": state,
        "county": "Clay County",
        "support_model": TASK,
        "signed_on": "2025-06-26",
        "pending_since": "2025-06-10",
        "row": 104,
        "previous_row": None,
        "note": "",
        "still_listed": None,
    }
    return replace(told(**(values | fields)), listed_since="2025-06-27")


def of_kind(kind: Kind, **fields: object) -> Told:
    """An event of any kind, in the words that the tracking gives it."""
    if kind is Kind.TERMINATED:
        return told(**fields)
    notes = {
        Kind.REINSTATED: "listed again after 5 days; absent since 2025-06-22",
        Kind.RENEWED: "signed anew in place of the agreement of 2025-02-26, listed since 2025-03-06",
        Kind.WITHDRAWN: "pending since 2025-05-12; left the list on 2025-06-27, not signed in the 46 days since",
    }
    pending = kind in (Kind.PENDING, Kind.WITHDRAWN)
    values: dict[str, object] = {
        "kind": kind,
        "event_id": f"e-{kind}",
        "agreement_id": f"a-{kind}",
        "list": ListName.PENDING if pending else ListName.PARTICIPATING,
        "signed_on": None if pending else "2025-05-08",
        "row": None if kind is Kind.WITHDRAWN else 12,
        "note": notes.get(kind, ""),
        "still_listed": None,
    }
    if kind is Kind.RENEWED:
        values |= {
            "changes": {"signed_on": ("2025-02-26", "2025-05-08")},
            "change_classes": {"signed_on": "new signing"},
        }
    if kind is Kind.CHANGED:
        values |= {"changes": {"agency": ("Ker Conty", "Kerr County")}, "change_classes": {"agency": "spelling"}}
    return told(**(values | fields))


def switch(model: str = TASK) -> tuple[Told, Told]:
    """Kerr County's end and its beginning under a model, which name each other."""
    gone = f"the {JAIL} signed 2025-05-06 is not listed from 2025-06-27 on"
    what = "signed anew" if model == JAIL else "switch of model"
    end = told(
        status=Status.PROVISIONAL,
        related_agreement_id="a-0000000002",
        note=f"{event().note}; {what}: the {model} signed 2025-06-20 is new on the same list",
        still_listed=(model,),
    )
    beginning = new(
        "Kerr County Sheriff's Office",
        "TX",
        county="Kerr County",
        agreement_id="a-0000000002",
        related_agreement_id="a-0000000001",
        support_model=model,
        signed_on="2025-06-20",
        note=f"{what}: {gone}",
    )
    return end, beginning


def taken_back(**fields: object) -> Told:
    """Kerr County's termination, taken back."""
    values = {
        "status": Status.RETRACTED,
        "status_note": "listed again on 2025-06-30",
        "status_changed_at": "2025-06-30T14:00:00Z",
    }
    return told(occasion=Occasion.RETRACTED, **(values | fields))


def gap(occasion: Occasion = Occasion.TOLD, **fields: object) -> tuple[Told, Told]:
    """Kerr County's termination, taken back since or told before, and its return on a later list."""
    missing = replace(taken_back(**fields), occasion=occasion)
    values: dict[str, object] = {
        "agreement_id": missing.event.agreement_id,
        "published_on": "2025-06-30",
        "workbook_name": LATER,
        "workbook_sha256": "ef" * 32,
        "previous_row": None,
        "note": "listed again after 3 days; absent since 2025-06-27",
    }
    again = of_kind(Kind.REINSTATED, **(values | fields))
    return missing, again


def signed(**fields: object) -> tuple[Told, Told]:
    """Clay County's application and the agreement that came of it."""
    one = new(**fields)
    applied = of_kind(
        Kind.PENDING,
        agency=one.event.agency.upper(),
        state=one.event.state,
        county=one.event.county,
        support_model=one.event.support_model,
        published_on="2025-06-10",
        row=31,
        previous_row=None,
        workbook_name="pendingAgencies06102025.xlsx",
        workbook_sha256="12" * 32,
    )
    return applied, one


def message(some: Iterable[Told] = (), kind: MessageKind = MessageKind.ALERT, **fields: object) -> Message:
    """A message to the Gulf coalition."""
    values: dict[str, object] = {
        "subscriber": "gulf-coalition",
        "made_at": "2025-06-27T14:05:00Z",
        "full_report": "https://reports.example.org/287g",
        "page_url": PAGE,
    }
    return Message("m-0123456789abcdef", kind, told=tuple(some), **(values | fields))  # type: ignore[arg-type]


HELD = Affair(
    key="held:participating",
    title="the participating list of 2025-04-21 is held",
    details=("140 of 456 agreements would vanish",),
    commands=("watch287g accept abab --reason '...'", "watch287g reject abab --reason '...'"),
    since="2025-04-21T14:00:00Z",
)


def everything() -> Message:
    """A digest with an entry of every sort."""
    kinds = [of_kind(kind, agreement_id=f"a-{kind}", agency=f"{kind.capitalize()} County Jail") for kind in Kind]
    pair = switch()
    anew = [
        replace(one, event=replace(one.event, agreement_id=own, related_agreement_id=other, agency="Anew County Jail"))
        for one, own, other in zip(
            switch(JAIL), ("a-0000000008", "a-0000000009"), ("a-0000000009", "a-0000000008"), strict=True
        )
    ]
    back = taken_back(event_id="e-back", agreement_id="a-back", agency="Back County Sheriff's Office")
    once = told(event_id="e-once", agreement_id="a-once", agency="Once County Jail", status=Status.PROVISIONAL)
    late = taken_back(event_id="e-late", agreement_id="a-late", agency="Late County Jail")
    late = replace(late, occasion=Occasion.TOLD)
    missing, again = gap(agreement_id="a-gap", agency="Gap County Jail")
    missing = replace(missing, event=replace(missing.event, event_id="e-gap"))
    again = replace(again, event=replace(again.event, event_id="e-again"))
    return message([*kinds, *pair, *anew, back, once, late, missing, again], MessageKind.DIGEST)
