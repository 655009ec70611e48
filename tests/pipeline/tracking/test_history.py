"""What is held, what is borne out, and what time does to an event."""

import pytest

from db.records import Kind, ListName, Status, Verdict
from pipeline.tracking.corrections import Action, Correction, Corrections, Selector
from pipeline.tracking.policy import CheckLimits, Policy
from tests.readings import Row, Story, participating, pending, words

_STRICT = Policy(checks=CheckLimits(vanish_number=2, changed_number=2, duplicate_number=1, unresolved_number=1))


def _list(count: int, start: int = 0, **fields: str) -> list[Row]:
    names = [
        "Anderson",
        "Bexar",
        "Camp",
        "Dallas",
        "Ector",
        "Falls",
        "Gaines",
        "Hale",
        "Irion",
        "Jasper",
        "Karnes",
        "Lamar",
    ]
    return [
        (
            fields.get("state", "TX"),
            f"{name} County Sheriff's Office",
            fields.get("model", "WSO"),
            f"2025-02-{n + 1:02}",
            "",
            f"{name} County",
        )
        for n, name in enumerate(names)
    ][start : start + count]


def _verdicts(story: Story, *lists: list[Row]) -> list[str]:
    verdicts = []
    for day, rows in enumerate(lists):
        verdicts += [step.verdict.value for step in story.post(participating(rows, day), day)]
    return verdicts


def test_a_list_that_lost_half_its_rows_names_no_sheriff_until_the_next_bears_it_out() -> None:
    story = Story(_STRICT)
    assert _verdicts(story, _list(10), _list(5)) == ["accepted", "held"]
    assert story.told == []
    steps = story.post(participating(_list(6), 2), 2)
    assert [(s.publication.workbook, s.verdict) for s in steps] == [
        ("participating-1", Verdict.ACCEPTED),
        ("participating-2", Verdict.ACCEPTED),
    ]
    ended = [e for e in story.told if e.kind is Kind.TERMINATED]
    assert len(ended) == 5
    assert {e.workbook for e in ended} == {"participating-1"}


def test_a_list_that_lost_half_its_rows_is_forgotten_when_they_come_back() -> None:
    story = Story(_STRICT)
    assert _verdicts(story, _list(10), _list(5), _list(11)) == ["accepted", "held", "rejected", "accepted"]
    assert [words(e) for e in story.told] == ["new Karnes County Sheriff's Office"]


def test_a_stale_list_posted_again_is_held_though_it_lacks_little() -> None:
    story = Story(_STRICT)
    story.post(participating(_list(10), 0), 0, "old")
    story.post(participating(_list(11), 1), 1)
    (step,) = story.post(participating(_list(10), 0), 2, "old")
    assert step.verdict is Verdict.HELD
    assert "posted before" in step.reason


def test_a_list_modified_before_the_one_in_force_is_held() -> None:
    story = Story(_STRICT)
    story.post(participating(_list(10), 5), 5)
    (step,) = story.post(participating(_list(11), 3), 6)
    assert (step.verdict, step.reason.split(":")[0]) == (Verdict.HELD, "not_older")


def test_no_list_ever_bears_out_an_older_one() -> None:
    story = Story(_STRICT)
    story.post(participating(_list(10), 5), 5)
    story.post(participating(_list(4), 3), 6)
    steps = story.post(participating(_list(4, 1), 4), 7)
    assert [s.verdict for s in steps] == [Verdict.REJECTED, Verdict.HELD]
    assert story.told == []


def test_an_empty_participating_list_is_held_twice_and_an_empty_pending_list_is_not() -> None:
    story = Story(_STRICT)
    assert _verdicts(story, _list(2), [], []) == ["accepted", "held", "rejected", "held"]
    story.post(pending([("TX", "Hale County Sheriff's Office", "TFM")]), 0)
    (step,) = story.post(pending([], 1), 1)
    assert step.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("rows", "check"),
    [
        (_list(10, state="Nowhere"), "states"),
        (_list(10, model="Model X"), "models"),
        ([*_list(10), *_list(10)], "duplicates"),
        ([(*row[:3], "2031-01-01") for row in _list(12)], "signing_dates"),
        (_list(10, model="JEM"), "changed"),
    ],
)
def test_what_cannot_be_true_is_held_with_its_reason(rows: list[Row], check: str) -> None:
    story = Story(_STRICT)
    story.post(participating(_list(10)), 0)
    (step,) = story.post(participating(rows, 1), 1)
    assert step.verdict is Verdict.HELD
    assert check in [r.name for r in step.results if not r.ok and r.required]


def test_a_list_that_lost_one_state_is_held_though_it_is_a_small_part_of_all() -> None:
    texas = [("TX", f"Town {n} Police Department", "TFM", "2025-02-12", "", "") for n in range(40)]
    florida = [("FL", f"City {n} Police Department", "TFM", "2025-02-12", "", "") for n in range(900)]
    story = Story()
    story.post(participating([*florida, *texas]), 0)
    (step,) = story.post(participating(florida, 1), 1)
    assert (step.verdict, story.told) == (Verdict.HELD, [])
    assert "40 of the 40 of TX" in step.reason


def _linked(slipped: int = 0, from_row: int = 0) -> list[Row]:
    """Sixty agencies with a document each; from a row on, each has that of the row `slipped` before."""
    return [
        ("TX", f"Town {n:02} Police Department", "TFM", "2025-02-12", f"Town{n - slipped * (n >= from_row):02}", "")
        for n in range(1, 61)
    ]


def test_links_that_slipped_by_a_row_are_held() -> None:
    story = Story()
    story.post(participating(_linked()), 0)
    (step,) = story.post(participating(_linked(1, 40), 1), 1)
    assert (step.verdict, story.told) == (Verdict.HELD, [])
    assert step.reason == "moved_links: 21 of 60 would get the MOA that was another's"
    steps = story.post(participating(_linked(), 2), 2)
    assert ([step.verdict for step in steps], story.told) == ([Verdict.REJECTED, Verdict.ACCEPTED], [])


def test_a_few_links_that_point_to_anothers_document_and_many_to_new_ones_are_corrections() -> None:
    story = Story()
    story.post(participating(_linked()), 0)
    (step,) = story.post(participating(_linked(1, 55), 1), 1)
    assert (step.verdict, len(story.told)) == (Verdict.ACCEPTED, 6)
    renamed = [(*row[:4], f"{row[4]}_revised", "") for row in _linked(1, 55)]
    (step,) = story.post(participating(renamed, 2), 2)
    assert step.verdict is Verdict.ACCEPTED


def test_a_participating_list_that_looks_like_a_pending_one_is_held() -> None:
    rows = [("FL", f"City {n} Police Department", "TFM", "2025-02-12", "", "") for n in range(40)]
    story = Story()
    story.post(participating(rows), 0)
    story.post(pending([("TX", "Hale County Sheriff's Office", "TFM")]), 0)
    (step,) = story.post(pending([row[:3] for row in rows], 1), 1)
    assert (step.verdict, step.reason.split(":")[0], story.told) == (Verdict.HELD, "not_participating", [])


def test_a_row_that_names_nobody_holds_the_list_and_a_note_below_it_does_not() -> None:
    story = Story()
    story.post(participating(_list(10)), 0)
    (step,) = story.post(participating([*_list(9), ("TX", "#N/A", "WSO", "2025-02-10")], 1), 1)
    assert (step.verdict, step.reason.split(":")[0]) == (Verdict.HELD, "agencies")
    steps = story.post(participating([*_list(10), ("As of December 5", "", "", "")], 2), 2)
    assert (steps[-1].verdict, story.told) == (Verdict.ACCEPTED, [])


def test_a_list_without_the_model_column_is_held() -> None:
    story = Story(_STRICT)
    story.post(participating(_list(10)), 0)
    reading = participating(_list(10), 1)
    from dataclasses import replace

    (step,) = story.post(replace(reading, missing_columns=("model",)), 1)
    assert (step.verdict, step.reason) == (Verdict.HELD, "columns: missing: model")


def test_while_one_list_is_held_the_other_goes_on() -> None:
    story = Story(_STRICT)
    _verdicts(story, _list(10), _list(5))
    story.post(pending([], 1), 1)
    story.post(pending([("TX", "Hale County Sheriff's Office", "TFM")], 2), 2)
    assert [words(e) for e in story.told] == ["pending Hale County Sheriff's Office"]
    assert ListName.PARTICIPATING in story.ledger.held


def test_a_termination_is_provisional_until_a_second_list_confirms_it() -> None:
    story = Story()
    story.lists(_list(3), _list(2), [*_list(2), *_list(1, 5)])
    ended = next(e for e in story.told if e.kind is Kind.TERMINATED)
    assert ended.status is Status.PROVISIONAL
    assert story.statuses[ended.id] is Status.CONFIRMED


def test_a_row_that_soon_comes_back_retracts_its_termination() -> None:
    story = Story()
    story.lists(_list(3), _list(2), _list(3))
    ended, back = story.told
    assert (ended.kind, back.kind, ended.agreement) == (Kind.TERMINATED, Kind.REINSTATED, back.agreement)
    assert story.statuses[ended.id] is Status.RETRACTED


def test_a_row_that_comes_back_late_is_reinstated_and_its_end_stays_true() -> None:
    story = Story()
    story.lists(_list(3), _list(2))
    story.post(participating(_list(3), 100), 100)
    assert story.told[-1].kind is Kind.REINSTATED
    assert story.statuses[story.told[0].id] is not Status.RETRACTED


def test_a_row_that_comes_back_after_more_than_a_year_is_a_new_agreement() -> None:
    story = Story()
    story.lists(_list(3), _list(2))
    story.post(participating(_list(3), 400), 400)
    assert story.told[-1].kind is Kind.NEW
    assert story.told[-1].agreement != story.told[0].agreement


def test_a_new_agreement_says_since_when_it_was_pending_though_it_is_spelt_otherwise() -> None:
    story = Story()
    story.post(participating(_list(2), 0), 0)
    story.post(pending([], 0), 0)
    story.post(pending([("TX", "Camp Cnty Sherrif's Office", "WSO")], 1), 1)
    story.post(pending([], 2), 2)
    story.post(participating(_list(3), 3), 3)
    assert str(story.told[-1].pending_since) == "2025-03-04"


def test_an_application_that_is_not_signed_in_time_is_withdrawn_once() -> None:
    story = Story()
    story.post(participating(_list(2), 0), 0)
    story.post(pending([("TX", "Hale County Sheriff's Office", "TFM")], 0), 0)
    for day in (1, 20, 40, 60):
        story.post(pending([], day), day)
    (event,) = story.told
    assert (event.kind, event.workbook, event.previous_workbook) == (Kind.WITHDRAWN, "pending-1", "pending-0")


def test_an_application_that_was_signed_is_not_withdrawn() -> None:
    story = Story()
    story.post(participating(_list(2), 0), 0)
    story.post(pending([("TX", "Camp County Sheriff's Office", "WSO")], 0), 0)
    story.post(pending([], 1), 1)
    story.post(participating(_list(3), 1), 1)
    story.post(pending([], 60), 60)
    assert [e.kind for e in story.told] == [Kind.NEW]


@pytest.mark.parametrize(
    ("agency", "withdrawn"),
    [
        ("Kershaw County Sheriff's Office", False),  # there is none in Florida
        ("Orange County Sheriff's Office", True),  # there is one in both
        ("Nowhere Police Department", True),  # there is one in neither
    ],
)
def test_an_application_under_a_state_that_has_no_such_place_is_signed_where_it_is_one(
    agency: str, withdrawn: bool
) -> None:
    there = "SC" if "Kershaw" in agency else "TX"
    story = Story()
    story.post(participating(_list(2), 0), 0)
    story.post(pending([("FL", agency, "TFM")], 0), 0)
    story.post(pending([], 1), 1)
    story.post(participating([*_list(2), (there, agency, "TFM", "2025-03-04")], 2), 2)
    story.post(pending([], 60), 60)
    assert [e.kind for e in story.told] == [Kind.NEW, *([Kind.WITHDRAWN] if withdrawn else [])]


def test_a_column_that_begins_says_nothing_about_one_row() -> None:
    story = Story()
    bare = tuple(name for name in ("state", "agency", "model", "signed", "moa"))
    story.post(participating([row[:4] for row in _list(5)], 0, columns=bare), 0)
    story.post(participating(_list(5), 1), 1)
    assert story.told == []


def test_an_operator_can_say_that_two_rows_are_one_agreement_or_two() -> None:
    before = [("TX", "Hale County Sheriff's Office", "WSO", "2025-02-08", "", "Hale County"), *_list(3)]
    after = [("TX", "Swisher Jail Authority", "WSO", "2025-03-01", "", "Swisher County"), *_list(3)]
    ends = Selector(agency="Hale County Sheriff's Office"), Selector(agency="Swisher Jail Authority")
    same = Corrections([Correction(Action.SAME, "its successor", *ends)])
    assert {e.kind for e in _told(before, after, Corrections())} == {Kind.TERMINATED, Kind.NEW}
    assert {e.kind for e in _told(before, after, same)} == {Kind.CHANGED}
    respelt = [("TX", "Hale County Sherif", "WSO", "2025-02-08", "", "Hale County"), *_list(3)]
    other = Selector(agency="Hale County Sherif")
    distinct = Corrections([Correction(Action.DISTINCT, "two bodies", ends[0], other)])
    assert {e.kind for e in _told(before, respelt, Corrections())} == {Kind.CHANGED}
    assert {e.kind for e in _told(before, respelt, distinct)} == {Kind.TERMINATED, Kind.NEW}
    assert distinct.unused() == []


def _told(before: list[Row], after: list[Row], corrections: Corrections) -> list:  # type: ignore[type-arg]
    story = Story(corrections=corrections)
    story.lists(before, after)
    return story.told


def test_an_ignored_workbook_makes_no_event_and_an_expired_correction_is_reported() -> None:
    from datetime import date

    ignore = Correction(Action.IGNORE, "a test of ICE's", after=Selector(workbook="participating-1"))
    expired = Correction(Action.FIX, "typed wrongly", after=Selector(agency="X"), field="state", until=date(2020, 1, 1))
    story = Story(corrections=Corrections([ignore, expired]))
    assert _verdicts(story, _list(3), _list(1), _list(3)) == ["accepted", "rejected", "accepted"]
    assert story.told == []
    assert story.corrections.unused() == [expired]


def test_a_fixed_value_is_in_force_and_the_printed_one_stays() -> None:
    fix = Correction(Action.FIX, "ICE's slip", after=Selector(agency="Hale PD"), field="state", value="OK")
    story = Story(corrections=Corrections([fix]))
    (step,) = story.post(participating([("TX", "Hale PD", "WSO", "2025-02-08")]), 0)
    (placement,) = step.placements
    assert (placement.listing.values.state, placement.listing.printed.state) == ("OK", "TX")
