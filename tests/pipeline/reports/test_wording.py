"""The record in words."""

from __future__ import annotations

from datetime import date

import pytest

from db.records import Kind, ListName, Status
from pipeline.reports import text, wording
from pipeline.reports.record import Reach, Selection
from tests.pipeline.reports.story import WSO, event

_URL = "https://www.ice.gov/doclib/287gMOA/"


def test_a_termination_says_who_what_and_since_when() -> None:
    assert text.line(event()) == (
        "TERMINATED  Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06;"
        " listed since 2025-05-12, absent from participatingAgencies06272025am.xlsx"
        "  [was row 700 of participatingAgencies06262025pm.xlsx, e-000000000001]"
    )


@pytest.mark.parametrize(
    ("name", "pair", "kind", "words"),
    [
        ("signed_on", ("2025-06-12", "2025-06-11"), "date correction", "date corrected: 2025-06-12 -> 2025-06-11"),
        ("signed_on", (None, "2025-06-11"), "date added", "signing date added: 2025-06-11"),
        ("agency", ("Polk PD", "Polk Police"), "rename", "renamed: Polk PD -> Polk Police"),
        ("agency", ("Plok PD", "Polk PD"), "spelling", "spelling corrected: Plok PD -> Polk PD"),
        ("state", ("TX", "KS"), "state correction", "state corrected: TX -> KS"),
        ("county", ("Polk County", None), "county removed", "county removed: Polk County -> none"),
        ("moa_url", (None, _URL + "a.pdf"), "link posted", "MOA posted"),
        ("moa_url", (_URL + "a.pdf", None), "link withdrawn", "MOA withdrawn"),
        ("moa_url", (_URL + "a.pdf", _URL + "b%20c.pdf"), "link replaced", "MOA replaced: a.pdf -> b c.pdf"),
        ("addendum_url", (None, _URL + "a.pdf"), "addendum posted", "addendum posted"),
        ("agency", ("a", "b"), "what nobody foresaw", "what nobody foresaw: a -> b"),
    ],
)
def test_a_change_says_what_kind_it_is(name: str, pair: tuple[str | None, str | None], kind: str, words: str) -> None:
    changed = event(kind=Kind.CHANGED, changes={name: pair}, change_classes={name: kind})
    assert wording.change(changed, name) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": Status.PROVISIONAL}, "provisional: no second list bears it out yet"),
        (
            {"status": Status.RETRACTED, "status_note": "listed again on 2025-07-01"},
            "RETRACTED: listed again on 2025-07-01",
        ),
        ({"status": Status.RETRACTED}, "RETRACTED"),
        ({"kind": Kind.NEW, "pending_since": "2025-04-28"}, "pending since 2025-04-28"),
        ({"related_agreement_id": "a-1"}, "see a-1"),
        ({"note": "switch of model: x"}, "switch of model: x"),
        ({"still_listed": (WSO, "Task Force Model")}, "still listed: Warrant Service Officer, Task Force Model"),
        ({"still_listed": ()}, "no other agreement of this agency is listed"),
    ],
)
def test_a_sentence_says_how_far_to_trust_it(fields: dict[str, object], words: str) -> None:
    assert words in wording.tell(event(**fields)).details


def test_what_ice_left_blank_is_said_to_be_unknown() -> None:
    blank = event(state=None, agency="", support_model=None, signed_on=None)
    assert wording.subject(blank) == "agency not stated (state unknown), model unknown"


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(), ""),
        (Selection(since=date(2025, 6, 1)), "from 2025-06-01"),
        (Selection(since=date(2025, 6, 1), until=date(2025, 6, 1)), "on 2025-06-01"),
        (Selection(until=date(2025, 6, 1), states=("TX", "FL")), "Texas or Florida, to 2025-06-01"),
        (Selection(list=ListName.PENDING), "pending list"),
        (Selection(statuses=(Status.PROVISIONAL, Status.RETRACTED)), "provisional or retracted"),
    ],
)
def test_an_empty_report_says_what_it_looked_for(selection: Selection, words: str) -> None:
    assert text.render([], selection) == (f"No events, {words}." if words else "No events.")


def test_the_most_serious_come_first_and_each_workbook_has_its_heading() -> None:
    kinds = [Kind.CHANGED, Kind.NEW, Kind.TERMINATED]
    events = [event(kind=kind, event_id=f"e-{kind}", note="") for kind in kinds]
    events += [event(list=ListName.PENDING, kind=Kind.PENDING, workbook_name="pending.xlsx", workbook_sha256="00")]
    events += [event(published_on="2025-06-26", kind=Kind.RENEWED, workbook_sha256="11")]
    lines = text.render(events, Selection()).splitlines()
    assert [line.split()[0] for line in lines if line] == [
        "5",
        *("2025-06-26", "RENEWED"),
        *("2025-06-27", "TERMINATED", "NEW", "CHANGED"),
        *("2025-06-27", "PENDING"),
    ]
    assert lines[0] == "5 events: 1 terminated, 1 new, 1 renewed, 1 pending, 1 changed"


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(1, "event", "1 event"), (1274, "event", "1,274 events"), (2, "agency", "2 agencies"), (0, "state", "0 states")],
)
def test_numbers_agree_with_their_nouns(number: int, noun: str, words: str) -> None:
    assert wording.plural(number, noun) == words


def test_a_renewal_does_not_say_twice_that_it_was_signed_anew() -> None:
    pair, note = {"signed_on": ("2025-05-20", "2025-06-30")}, "signed anew in place of the agreement of 2025-05-20"
    renewed = event(kind=Kind.RENEWED, changes=pair, change_classes={"signed_on": "new signing"}, note=note)
    assert wording.tell(renewed).details == (note, "signing date: 2025-05-20 -> 2025-06-30")


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ([Status.CONFIRMED, Status.PROVISIONAL], "2 terminated"),
        ([Status.CONFIRMED, Status.RETRACTED, Status.RETRACTED], "3 terminated (2 of them retracted)"),
        ([Status.RETRACTED], "1 terminated (retracted)"),
        ([Status.RETRACTED, Status.RETRACTED], "2 terminated (all retracted)"),
    ],
)
def test_what_was_taken_back_is_counted_apart(statuses: list[Status], words: str) -> None:
    assert wording.counts(event(status=status) for status in statuses) == words


_REACH = Reach("2025-02-20", "2025-12-12", {ListName.PARTICIPATING: 9, ListName.PENDING: 1})


def test_an_empty_report_says_how_far_the_history_reaches() -> None:
    assert text.render([], Selection(), reach=_REACH) == "No events; the newest list is of 2025-12-12."
    assert text.render([], Selection(), reach=Reach(None, None, {})) == "No events; the history has no list yet."


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(), "287(g) report from 2025-02-20 to 2025-12-12"),
        (Selection(since=date(2025, 12, 6)), "287(g) report from 2025-12-06 to 2025-12-12"),
        (Selection(since=date(2025, 12, 6), until=date(2025, 12, 6)), "287(g) report on 2025-12-06"),
    ],
)
def test_a_report_is_titled_with_its_period(selection: Selection, words: str) -> None:
    assert wording.title(selection, _REACH) == words


def test_a_report_says_which_lists_it_covers() -> None:
    assert wording.coverage(_REACH) == (
        "Covers 9 participating lists and 1 pending list; the newest in the history is of 2025-12-12."
    )
    none = Reach("2025-02-20", "2025-12-12", dict.fromkeys(ListName, 0))
    assert wording.coverage(none) == "Covers no list; the newest in the history is of 2025-12-12."


def test_what_was_told_later_than_its_list_has_a_group_of_its_own() -> None:
    late = event(kind=Kind.WITHDRAWN, published_on="2025-05-20", detected_at="2025-06-27T14:00:00Z")
    lines = text.render([late, event()], Selection(since=date(2025, 6, 20))).splitlines()
    headings = [line for line in lines if line.startswith("2025")]
    assert headings == [
        "2025-05-20  Participating list, participatingAgencies06272025am.xlsx (told on 2025-06-27): 1 withdrawn",
        "2025-06-27  Participating list, participatingAgencies06272025am.xlsx: 1 terminated",
    ]
    assert "told on" not in text.render([late], Selection())


def test_long_lines_are_continued_under_the_words() -> None:
    narrow = text.wrapped(text.render([event()], Selection()), 60).splitlines()
    assert max(map(len, narrow)) <= 60
    kind = next(number for number, line in enumerate(narrow) if line.startswith("TERMINATED  "))
    assert all(line.startswith(" " * 12 + line.lstrip()[0]) for line in narrow[kind + 1 :])
    assert " ".join(" ".join(narrow).split()) == " ".join(text.render([event()], Selection()).split())


def test_colours_take_no_room() -> None:
    coloured = text.render([event()], Selection(), lambda words, _what: f"\x1b[31;1m{words}\x1b[0m")
    bare = text.wrapped(coloured, 60).replace("\x1b[31;1m", "").replace("\x1b[0m", "")
    assert bare == text.wrapped(text.render([event()], Selection()), 60)


def test_a_word_that_is_longer_than_the_line_stays_whole() -> None:
    assert text.wrapped("a " + "b" * 30 + " c", 12).split() == ["a", "b" * 30, "c"]
