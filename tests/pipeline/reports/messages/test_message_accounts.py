"""An entry says all that a volunteer needs to publish it, and nothing that ICE did not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.records import Kind, Status
from pipeline.reports.messages.accounts import Account, Block, account, tell, workbooks
from pipeline.reports.messages.content import Occasion, Told
from pipeline.reports.messages.grouping import entries, sections
from tests.pipeline.reports.messages.message_values import (
    JAIL,
    LATER,
    MOA,
    TASK,
    WARRANT,
    everything,
    gap,
    message,
    new,
    of_kind,
    signed,
    switch,
    taken_back,
    told,
)


def _account(*some: Told) -> Account:
    (entry,) = entries(message(some))
    return account(entry)


def _said(*some: Told) -> str:
    return " ".join(_account(*some).said)


def test_whom_it_is_about_where_and_what_was_agreed() -> None:
    found = _account(told())

    assert found.agency == "Kerr County Sheriff's Office"
    assert found.place == "Kerr County, Texas"
    assert found.terms == "Jail Enforcement Model, signed 2025-05-06"
    assert _account(told(county=None, state=None, agency="")).place == "state unknown"
    assert _account(told(agency="")).agency == "agency not stated"


def test_a_termination_says_what_is_known_and_no_more() -> None:
    assert _said(told()) == (
        "ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12, absent from "
        "participatingAgencies06272025am.xlsx. No other agreement of this agency is listed."
    )
    assert "Still listed for this agency: Task Force Model." in _said(told(still_listed=(TASK,)))


ONCE = (
    "this is provisional. If ICE lists it again, we write to take this back; if the next list lacks it too, this "
    "stands, and we do not write again."
)


def test_a_termination_seen_once_says_so_first_and_promises_no_more_than_is_sent() -> None:
    assert _said(told(status=Status.PROVISIONAL)).startswith(
        f"ICE no longer lists it; ICE gives no reason. So far only one list lacks it: {ONCE} Listed since"
    )


def test_a_termination_that_is_borne_out_says_so() -> None:
    assert f"Borne out: absent from {LATER} too." in _said(told(status_note=f"absent from {LATER} too"))


def test_nothing_began_on_the_day_on_which_only_the_record_did() -> None:
    begun = "Listed at least since 2025-05-12, when this record begins."

    assert "Listed at least since 2025-05-12, absent from" in _said(replace(told(), listed_from_start=True))
    assert begun in _said(replace(of_kind(Kind.CHANGED), listed_from_start=True))
    assert begun in _said(replace(taken_back(), listed_from_start=True))
    assert "First listed on or before 2025-05-12, when this record begins." in _said(
        replace(of_kind(Kind.REINSTATED), listed_from_start=True)
    )
    assert "Absent since 2025-05-12." in _said(
        replace(of_kind(Kind.REINSTATED, note="absent since 2025-05-12"), listed_from_start=True)
    )
    assert "It was pending at least since 2025-06-10, when this record begins." in _said(
        replace(new(), pending_from_start=True)
    )
    assert "Pending at least since 2025-05-12; left the list" in _said(
        replace(of_kind(Kind.WITHDRAWN), listed_from_start=True)
    )
    end, beginning = switch()
    pair = _said(replace(end, listed_from_start=True), replace(beginning, pending_from_start=True))
    assert "The new agreement: pending at least since 2025-06-10, when this record begins, on ICE's" in pair
    assert "The old agreement: listed at least since 2025-05-12, when this record begins, no longer listed" in pair


def test_what_was_missing_for_a_while_is_told_once_with_both_rows() -> None:
    found = _account(*gap())

    assert " ".join(found.said) == (
        "ICE did not list it from its list of 2025-06-27 on, and lists it again on its list of 2025-06-30. ICE gives "
        "no reason. First listed on 2025-05-12."
    )
    assert [(proof.words, proof.workbook.workbook_name) for proof in found.proofs] == [
        ("row 12 of", LATER),
        ("not in", "participatingAgencies06272025am.xlsx"),
        ("row 700 of the list before,", "participatingAgencies06262025pm.xlsx"),
    ]
    assert found.events == ("e-reinstated", "e-000000000001")


def test_what_was_taken_back_before_it_was_told_is_not_told_as_a_fact() -> None:
    assert _said(replace(taken_back(), occasion=Occasion.TOLD)) == (
        "It seemed that ICE no longer lists this agreement, from its list of 2025-06-27 on. That was taken back before "
        "this message was made: listed again on 2025-06-30. Listed since 2025-05-12."
    )


def test_a_correction_shows_first_where_ice_lists_it_again() -> None:
    found = _account(*gap(Occasion.RETRACTED))

    assert " ".join(found.said) == (
        "We wrote that ICE no longer lists this agreement, from its list of 2025-06-27 on. That does not hold: ICE "
        "lists it again, on its list of 2025-06-30. First listed on 2025-05-12."
    )
    assert (found.proofs[0].words, found.proofs[0].workbook.workbook_name) == ("row 12 of", LATER)
    assert found.events == ("e-000000000001", "e-reinstated")


def test_a_verdict_is_given_beside_the_return() -> None:
    missing, again = gap(Occasion.RETRACTED)
    judged = replace(missing, event=replace(missing.event, status_note="the row was hidden"))

    assert "on its list of 2025-06-30. The row was hidden. First" in _said(judged, again)


def test_a_new_agreement_carries_its_application() -> None:
    found = _account(*signed())

    assert " ".join(found.said) == ("New on ICE's participating list of 2025-06-27. It was pending since 2025-06-10.")
    assert found.events == ("e-new-Clay County Sheriff's Office-FL", "e-pending")
    assert ("row 31 of", "pendingAgencies06102025.xlsx") in [
        (proof.words, proof.workbook.workbook_name) for proof in found.proofs
    ]


def _blocks(*some: Told) -> list[Block]:
    return [block for s in tell(sections(entries(message(some)))) for group in s.groups for block in group.blocks]


def test_agreements_of_one_agency_that_end_together_share_its_name_and_what_is_left() -> None:
    some = [told(event_id=f"e-{number}", support_model=model) for number, model in enumerate((JAIL, TASK, WARRANT))]
    (block,) = _blocks(*some)

    assert block.agency == "Kerr County Sheriff's Office"
    assert [one.terms.partition(",")[0] for one in block.accounts] == [JAIL, TASK, WARRANT]
    assert block.left == "No other agreement of this agency is listed."
    assert not any(block.left in one.said for one in block.accounts)


def test_where_what_is_left_differs_each_agreement_says_it() -> None:
    (block,) = _blocks(told(still_listed=(TASK,)), told(event_id="e-2", support_model=TASK))

    assert block.left == ""
    assert [one.left for one in block.accounts] == [
        "Still listed for this agency: Task Force Model.",
        "No other agreement of this agency is listed.",
    ]


def test_agencies_of_one_name_in_two_counties_or_of_no_name_are_not_one() -> None:
    assert len(_blocks(told(), told(event_id="e-2", county="Clay County"))) == 2
    assert len(_blocks(told(agency=""), told(agency="", event_id="e-2"))) == 2
    assert len(_blocks(told(state=None), told(state=None, event_id="e-2"))) == 2


def test_a_new_agreement_says_since_when_it_was_pending() -> None:
    assert _said(new()) == "New on ICE's participating list of 2025-06-27. It was pending since 2025-06-10."
    assert "pending" not in _said(new(pending_since=None))


TOLD_AS = {
    Kind.REINSTATED: (
        "ICE lists it again, on its participating list of 2025-06-27. Listed again after 5 days; absent since "
        "2025-06-22. First listed on 2025-05-12."
    ),
    Kind.RENEWED: (
        "A renewal, on ICE's participating list of 2025-06-27: the agency goes on taking part. Signing date: "
        "2025-02-26 -> 2025-05-08. Signed anew in place of the agreement of 2025-02-26, listed since 2025-03-06. "
        "Listed since 2025-05-12."
    ),
    Kind.PENDING: (
        "On ICE's pending list of 2025-06-27: the agency has applied, and no agreement is listed yet. First "
        "pending on 2025-05-12."
    ),
    Kind.WITHDRAWN: (
        "No longer on ICE's pending list, and not listed as signed since; ICE gives no reason. Pending since "
        "2025-05-12; left the list on 2025-06-27, not signed in the 46 days since."
    ),
    Kind.CHANGED: (
        "ICE changed this entry in its participating list of 2025-06-27; the agreement goes on. Spelling "
        "corrected: Ker Conty -> Kerr County. Listed since 2025-05-12."
    ),
}


@pytest.mark.parametrize(("kind", "said"), TOLD_AS.items())
def test_each_kind_is_told_as_what_it_is(kind: Kind, said: str) -> None:
    assert _said(of_kind(kind)) == said


def test_a_switch_of_model_carries_both_halves() -> None:
    found = _account(*switch())

    assert found.terms == "From Jail Enforcement Model, signed 2025-05-06, to Task Force Model, signed 2025-06-20"
    assert " ".join(found.statements) == (
        "A switch of model: the agency goes on taking part. The new agreement: pending since 2025-06-10, on ICE's "
        "participating list from 2025-06-27 on. The old agreement: listed since 2025-05-12, no longer listed from "
        f"2025-06-27 on; ICE gives no reason. So far only one list lacks the old agreement: {ONCE}"
    )
    assert [link.label for link in found.links] == ["MOA of the new agreement", "MOA of the old agreement"]
    assert [proof.words for proof in found.proofs] == ["row 104 of", "not in", "row 700 of the list before,"]


def test_a_new_signing_is_no_end_either() -> None:
    found = _account(*switch(JAIL))

    assert found.terms == "Jail Enforcement Model, signed 2025-05-06, and anew on 2025-06-20"
    assert found.statements[0] == "A new signing: the agency goes on taking part."


def test_one_half_of_a_switch_names_the_other() -> None:
    end, beginning = switch()

    assert "switch of model: the Task Force Model signed 2025-06-20 is new on the same list." in _said(end)
    assert "Switch of model: the Jail Enforcement Model signed 2025-05-06 is not listed" in _said(beginning)


@pytest.mark.parametrize("kind", Kind)
def test_a_correction_says_what_was_said_that_it_does_not_hold_and_why(kind: Kind) -> None:
    back = replace(of_kind(kind, status=Status.RETRACTED, status_note="the row was a duplicate"))
    words = _said(replace(back, occasion=Occasion.RETRACTED))

    assert words.startswith("We wrote that ")
    assert "That does not hold: the row was a duplicate." in words
    assert "absent from" not in words


def test_a_correction_without_a_reason_is_still_a_sentence() -> None:
    assert "That does not hold. Listed since 2025-05-12." in _said(taken_back(status_note=""))


def test_documents_are_linked_and_what_is_missing_is_said() -> None:
    one = new()
    assert [(link.label, link.url) for link in _account(one).links] == [("MOA", MOA)]
    assert len(_account(replace(one, addendum_url=MOA)).links) == 2
    assert "ICE links no MOA yet." in _said(replace(one, moa_url=None))
    for address in ("javascript:alert(1)", f"https://www.ice.gov/{'x' * 5000}"):
        assert _account(replace(one, moa_url=address)).links == ()
        assert "ICE links an MOA under an address that cannot be shown." in _said(replace(one, moa_url=address))


def test_what_ended_is_shown_by_the_list_without_it_and_the_row_in_the_list_before() -> None:
    assert [(proof.words, proof.workbook.workbook_name) for proof in _account(told()).proofs] == [
        ("not in", "participatingAgencies06272025am.xlsx"),
        ("row 700 of the list before,", "participatingAgencies06262025pm.xlsx"),
    ]


def test_each_workbook_is_a_source_once() -> None:
    found = map(account, entries(everything()))

    assert [workbook.workbook_sha256[:2] for workbook in workbooks(found)] == ["ab", "cd", "ef"]


def test_every_text_is_one_printable_line_of_a_length_that_can_be_read() -> None:
    name = "line\n\x1b[2J\u202e" + "x" * 10_000
    hostile = told(agency=name, county=name, note=name, status_note=name, workbook_name=name, still_listed=(name,))
    found = _account(hostile)

    assert found.agency == f"line \ufffd[2J\ufffd{'x' * 190}…"[:199] + "…"
    texts = [
        found.agency,
        found.place,
        found.terms,
        *found.statements,
        *(p.workbook.workbook_name for p in found.proofs),
    ]
    assert all(text.isprintable() and len(text) <= 600 for text in texts)


def test_sections_carry_their_titles() -> None:
    titles = [
        (s.title, [group.title for group in s.groups]) for s in tell(sections(entries(message([taken_back(), new()]))))
    ]

    assert titles == [("Taken back: Texas", ["1 termination"]), ("Florida", ["New (1)"])]
