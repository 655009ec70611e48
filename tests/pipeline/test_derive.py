"""The history as a function of what was seen: in one go and in pieces, in order and out of it, held and decided."""
# ruff: noqa: DTZ001 - a cell has no time zone

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pytest

from db import read
from db.archive import ArchiveError
from db.records import ListName, Verdict
from pipeline import queries
from pipeline.derive import Rules, fingerprint, rehearse
from pipeline.standing import WITHOUT_CORRECTIONS
from pipeline.tracking.corrections import Action, Correction, Corrections, Selector
from tests.db.histories import (
    CONTRACT,
    COUNTIES,
    History,
    Posted,
    Row,
    in_one_go,
    rows,
    sheriff,
    story,
    write_folder,
)

FORTY = rows(*COUNTIES[:40])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "posted"


def corrected(*corrections: Correction) -> Rules:
    return Rules(corrections=Corrections(corrections))


def agency(county: str) -> Selector:
    return Selector(agency=f"{county} County Sheriff's Office")


def participating(day: int, lines: Sequence[Row]) -> Posted:
    return Posted("participating", day, lines)


# What begins, and what is the same


def test_a_list_is_dated_no_earlier_than_the_one_that_it_replaces(tmp_path: Path) -> None:
    """ICE's names may be a day ahead or behind; the list in force on a day is the last one up to that day."""
    ahead = Posted("participating", 1, rows(*COUNTIES[:21]), name="participatingAgencies03052025am.xlsx")
    behind = Posted("participating", 2, rows(*COUNTIES[:22]), name="participatingAgencies03042025pm.xlsx")
    with History(tmp_path) as history:
        history.post(participating(0, rows(*COUNTIES[:20])), ahead, behind)

        dates = history.table("publication_log", "published_on, dated_by")
        assert dates[1:] == [("2025-03-05", "file_name"), ("2025-03-05", "list_before")]
        listed = queries.standing(history.connection, ListName.PARTICIPATING, date(2025, 3, 10))
        assert listed is not None
        assert len(listed.listed) == len(history.table("current_agreements")) == 22


def test_the_first_lists_are_a_baseline_and_news_of_nobody(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), Posted("pending", 0, rows("Polk")))

        assert history.events() == []
        assert history.verdicts() == ["accepted", "accepted"]
        assert len(history.table("current_agreements")) == 40


def test_a_list_that_begins_long_after_the_other_is_a_baseline_of_its_own(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, FORTY[1:]), Posted("pending", 2, rows("Polk", "Lee")))

        assert history.events() == ["terminated Alachua provisional"]


def test_the_same_list_again_under_any_name_is_only_seen_for_longer(tmp_path: Path) -> None:
    first = participating(0, FORTY)
    with History(tmp_path) as history:
        history.post(first, first.seen_again(1), first.seen_again(2, name="287gParticipatingAgency03052025B.xlsx"))

        assert history.verdicts() == ["accepted"]
        assert history.table("publication_log", "first_seen_at, last_seen_at") == [
            ("2025-03-03T14:00:00Z", "2025-03-05T14:00:00Z")
        ]


def test_a_termination_is_provisional_until_a_second_list_bears_it_out(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, FORTY[1:]))
        assert history.events() == ["terminated Alachua provisional"]
        history.post(participating(2, [*FORTY[1:-1], sheriff(COUNTIES[39], moa="link pending")]))

        assert history.events()[0] == "terminated Alachua"


def test_a_termination_is_taken_back_and_not_deleted_when_the_row_returns(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, FORTY[1:]), participating(2, FORTY))

        assert history.events() == ["terminated Alachua retracted", "reinstated Alachua"]
        assert len(history.table("agreement", "public_id")) == 40


def test_a_swapped_pair_is_told_by_its_columns_and_makes_no_event(tmp_path: Path) -> None:
    """On 22 September 2025 each list was posted under the other's name."""
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), Posted("pending", 0, rows("Polk", "Pasco")))
        history.post(
            Posted("participating", 1, [*FORTY, sheriff("Orange")], name="pendingAgencies03042025pm.xlsx"),
            Posted("pending", 1, rows("Polk", "Pasco", "Pinellas"), name="participatingAgencies03042025pm.xlsx"),
        )

        assert sorted(history.events()) == ["new Orange", "pending Pinellas"]


def test_a_list_of_six_weeks_ago_is_held_and_ends_nothing(tmp_path: Path) -> None:
    """The list of 6 March 2025 was posted again on 21 April: 140 agreements would vanish for a week."""
    old = participating(0, FORTY[:30])
    with History(tmp_path) as history:
        history.post(old, participating(30, FORTY), old.seen_again(49, name="participatingAgencies04212025am.xlsx"))

        assert not [event for event in history.events() if event.startswith("terminated")]
        assert history.verdicts() == ["accepted", "accepted", "held"]


def test_a_list_that_comes_back_after_another_continues_the_same_agreements(tmp_path: Path) -> None:
    """A is seen, then a broken list, then A again: the second sighting of A is no new publication."""
    first = participating(0, FORTY)
    with History(tmp_path) as history:
        history.post(first, participating(1, FORTY[:5]), first.seen_again(2), participating(3, FORTY[1:]))

        assert history.verdicts() == ["accepted", "rejected", "accepted"]
        assert history.events() == ["terminated Alachua provisional"]


# Rebuilding


def test_a_rebuild_says_the_same_byte_for_byte(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(folder, story()))
        before, ids = history.snapshot(), history.ids()
        assert {row[1] for row in before["event_log"]} >= {"new", "terminated", "reinstated", "changed", "withdrawn"}
        derived = history.rebuild()

        assert derived.anew
        assert history.snapshot() == before
        assert history.ids() == ids
        history.rebuild()
        assert history.snapshot() == before


def test_one_list_at_a_time_ends_where_all_at_once_does(tmp_path: Path) -> None:
    """The ledger that is read back from the database is the ledger that was in memory."""
    with History(tmp_path / "single") as history:
        history.post(*story())

        assert history.snapshot() == in_one_go(tmp_path / "whole", story())


@pytest.mark.parametrize("cut", range(1, 16))
def test_two_halves_the_older_first_are_the_whole(tmp_path: Path, cut: int) -> None:
    posted = story()
    with History(tmp_path / "halves") as history:
        history.backfill(write_folder(tmp_path / "old", posted[:cut]))
        derived = history.backfill(write_folder(tmp_path / "new", posted[cut:]))

        assert not derived.anew or posted[cut].seen_at == posted[cut - 1].seen_at
        assert history.snapshot() == in_one_go(tmp_path / "whole", posted)


@pytest.mark.parametrize("cut", [1, 3, 7, 12, 14])
def test_older_lists_that_come_later_make_the_history_anew_and_known_ids_stay(tmp_path: Path, cut: int) -> None:
    posted = story()
    with History(tmp_path / "halves") as history:
        history.backfill(write_folder(tmp_path / "new", posted[cut:]))
        known = {(row[0], row[1]) for row in history.table("listing_history", "agreement_id, agency")}
        derived = history.backfill(write_folder(tmp_path / "old", posted[:cut]))

        assert derived.anew
        kept = {(row[0], row[1]) for row in history.table("listing_history", "agreement_id, agency")}
        assert known <= kept
        whole = in_one_go(tmp_path / "whole", posted)
        others = [i for i, name in enumerate(CONTRACT["event_log"].split()) if name != "agreement_id"]
        assert _without_ids(history.snapshot()["event_log"], others) == _without_ids(whole["event_log"], others)


def _without_ids(found: list[tuple[object, ...]], columns: list[int]) -> list[tuple[object, ...]]:
    return sorted((tuple(row[i] for i in columns) for row in found), key=repr)


def test_an_agreement_first_known_under_a_misspelt_name_keeps_its_id_when_the_older_name_turns_up(
    tmp_path: Path,
) -> None:
    """Its id is made of the first listing known at the time; an older listing must not rename what was published."""
    misspelt = [{**FORTY[0], "LAW ENFORCEMENT AGENCY": "Alachua County Sherif Office", "STATE": "FLORIDA"}, *FORTY[1:]]
    misspelt[0]["SIGNED"] = datetime(2025, 2, 25)
    newer = [participating(5, misspelt), participating(6, [*misspelt, sheriff("Polk")])]
    with History(tmp_path) as history:
        history.post(*newer)
        (before,) = [
            row[0] for row in history.table("current_agreements", "agreement_id, agency") if "Sherif " in row[1]
        ]
        history.post(participating(0, FORTY))

        (after,) = [
            row[0] for row in history.table("current_agreements", "agreement_id, agency") if "Sherif " in row[1]
        ]
        assert after == before
        history.rebuild()
        assert [
            row[0] for row in history.table("current_agreements", "agreement_id, agency") if "Sherif " in row[1]
        ] == [before]


def test_a_rebuild_that_fails_leaves_the_history_as_it_was(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(folder, story()))
        before = history.snapshot()
        (sha256,) = history.table("publication_log", "workbook_sha256")[5]
        history.archive.path(sha256).unlink()

        with pytest.raises(ArchiveError, match=f"the archive lacks {sha256[:12]}"):
            history.rebuild()
        assert history.snapshot() == before


def test_nothing_to_do_does_nothing(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        assert history.historian().derive().steps == ()
        assert history.rebuild().steps == ()


def test_database_and_references_are_whole_after_all_of_it(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(folder, story()))
        for _ in range(2):
            assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"
            assert history.connection.execute("pragma foreign_key_check").fetchall() == []
            history.rebuild()


def test_an_agreement_has_one_set_of_values_at_a_time(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path) as history:
        history.backfill(write_folder(folder, story()))
        open_twice = history.connection.execute(
            "select agreement_id from version where to_publication_id is null group by 1 having count(*) > 1"
        ).fetchall()
        gone_but_open = history.connection.execute(
            "select 1 from agreement a join version v on v.agreement_id = a.id"
            " where a.left_publication_id is not null and v.to_publication_id is null"
        ).fetchall()

        assert open_twice == gone_but_open == []


# Held


HALF = FORTY[:20]


def test_a_list_that_lost_half_its_rows_ends_nothing(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        (_, step) = history.post(participating(0, FORTY), participating(1, HALF))

        assert step.verdict is Verdict.HELD
        assert step.reason == "vanishing: 20 of 40 would vanish"
        assert history.events() == []
        assert len(history.table("current_agreements")) == 40


def test_a_held_list_is_borne_out_by_the_next_and_its_changes_are_its_own(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, HALF), participating(2, [*HALF, sheriff("Polk")]))

        assert history.verdicts() == ["accepted"] * 3
        assert len(history.events()) == 21
        found = history.table("event_log", "kind, published_on")
        assert set(found) == {("terminated", "2025-03-04"), ("new", "2025-03-05")}


def test_a_held_list_that_is_replaced_by_a_whole_one_never_counted(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, HALF), participating(2, [*FORTY, sheriff("Polk")]))

        assert history.verdicts() == ["accepted", "rejected", "accepted"]
        assert history.events() == ["new Polk"]


def test_a_held_list_is_undone_when_the_list_in_force_comes_back(tmp_path: Path) -> None:
    first = participating(0, FORTY)
    with History(tmp_path) as history:
        history.post(first, participating(1, HALF), first.seen_again(2))

        assert history.verdicts() == ["accepted", "rejected"]
        assert history.events() == []
        assert history.table("publication_log", "verdict, reason")[1] == (
            "rejected",
            "participatingAgencies03032025am.xlsx was posted again in its place",
        )


def test_an_empty_participating_list_is_borne_out_by_no_other(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        empty = participating(1, [])
        history.post(participating(0, FORTY), empty, Posted("participating", 2, [], modified=empty.seen_at))

        assert history.verdicts() == ["accepted", "rejected", "held"]
        assert history.events() == []


def test_an_empty_pending_list_is_a_list(tmp_path: Path) -> None:
    """ICE's pending list had no row seven times in November 2025."""
    with History(tmp_path) as history:
        history.post(Posted("pending", 0, rows("Polk")), Posted("pending", 1, []), Posted("pending", 2, rows("Lee")))

        assert history.verdicts() == ["accepted"] * 3
        assert history.events() == ["pending Lee"]


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED])
def test_a_rebuild_keeps_an_operators_verdict(tmp_path: Path, verdict: Verdict) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, HALF))
        history.decide(verdict)
        decided = history.snapshot()

        assert history.verdicts() == ["accepted", verdict]
        assert len(history.events()) == (20 if verdict is Verdict.ACCEPTED else 0)
        history.rebuild()
        assert history.snapshot()["event_log"] == decided["event_log"]
        assert history.verdicts() == ["accepted", verdict]
        history.post(participating(2, [*(HALF if verdict is Verdict.ACCEPTED else FORTY), sheriff("Polk")]))
        assert history.verdicts() == ["accepted", verdict, "accepted"]
        continued = history.snapshot()
        history.rebuild()
        assert history.snapshot() == continued


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED])
@pytest.mark.parametrize("later", [[], [Posted("pending", 2, rows("Polk"))], [participating(2, FORTY)]])
def test_a_verdict_that_is_taken_back_was_never_given(tmp_path: Path, verdict: Verdict, later: list[Posted]) -> None:
    lists = [participating(0, FORTY), participating(1, HALF)]
    with History(tmp_path / "decided") as history:
        history.post(*lists)
        history.decide(verdict)
        history.post(*later)
        (decided,) = read.decided_by_operator(history.connection, "")
        assert (decided.verdict, decided.file_name) == (verdict, lists[1].file_name)
        history.historian().undo(decided)

        assert read.decided_by_operator(history.connection, "") == []
        assert history.snapshot() == in_one_go(tmp_path / "never", [*lists, *later])


def test_a_verdict_stays_when_it_cannot_be_taken_back(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, HALF))
        history.decide(Verdict.ACCEPTED)
        before = history.snapshot()
        (decided,) = read.decided_by_operator(history.connection, "")
        history.archive.path(decided.workbook).unlink()

        with pytest.raises(ArchiveError):
            history.historian().undo(decided)
        assert history.snapshot() == before
        assert read.decided_by_operator(history.connection, "") == [decided]


@pytest.mark.parametrize("later", [[], [Posted("pending", 2, rows("Polk"))]], ids=["at once", "after another list"])
def test_a_rehearsal_of_a_release_tells_what_the_release_tells_and_keeps_nothing(
    tmp_path: Path, later: list[Posted]
) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, HALF), *later)
        before = history.snapshot()
        steps = rehearse(history.connection, history.archive, history.rules, history.held())

        assert history.snapshot() == before
        told = [event.id for step in steps for event in step.events]
        assert len(told) == 20
        assert told == [event.id for step in history.decide(Verdict.ACCEPTED) for event in step.events]


def test_a_stale_list_can_be_released_by_an_operator_and_stays_released(tmp_path: Path) -> None:
    first = participating(0, FORTY)
    with History(tmp_path) as history:
        history.post(first, participating(1, FORTY[1:]), first.seen_again(3))
        history.decide(Verdict.ACCEPTED)
        decided = history.snapshot()

        assert history.events() == ["terminated Alachua retracted", "reinstated Alachua"]
        history.rebuild()
        assert history.snapshot() == decided


def test_a_rejected_list_that_is_posted_again_is_judged_again(tmp_path: Path) -> None:
    """An operator spoke of one posting; ICE posting it a second time, after another, is news."""
    half = participating(1, HALF)
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), half)
        history.decide(Verdict.REJECTED)
        history.post(participating(2, [*FORTY, sheriff("Polk")]), half.seen_again(4))

        assert history.verdicts() == ["accepted", "rejected", "accepted", "held"]


def test_the_other_list_goes_on_while_one_is_held(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), Posted("pending", 0, rows("Polk")), participating(1, HALF))
        history.post(Posted("pending", 2, rows("Polk", "Pasco")))

        assert history.events() == ["pending Pasco"]
        assert read.latest_publication(history.connection, ListName.PARTICIPATING, Verdict.HELD) is not None


# Corrections


RENAMED = [{**FORTY[0], "LAW ENFORCEMENT AGENCY": "Zolfo Springs Town Rangers", "COUNTY": "Hardee County"}, *FORTY[1:]]


def test_same_joins_what_the_rules_took_apart_and_keeps_its_id(tmp_path: Path) -> None:
    lists = [participating(0, FORTY), participating(1, RENAMED)]
    same = Correction(Action.SAME, "ICE renamed it", agency("Alachua"), Selector(agency="Zolfo Springs Town Rangers"))
    with History(tmp_path) as history:
        history.post(*lists)
        assert sorted(history.events()) == ["new Zolfo Springs Town Rangers", "terminated Alachua provisional"]
        (first,) = [row[0] for row in history.table("listing_history", "agreement_id, agency") if "Alachua" in row[1]]
    with History(tmp_path, corrected(same)) as history:
        history.rebuild()

        assert history.events() == ["changed Zolfo Springs Town Rangers"]
        assert history.table("event_log", "agreement_id") == [(first,)]
        assert history.rules.corrections.unused() == []


def test_distinct_parts_what_the_rules_took_for_one(tmp_path: Path) -> None:
    misspelt = [{**FORTY[0], "LAW ENFORCEMENT AGENCY": "Alachuaa County Sheriff's Office"}, *FORTY[1:]]
    distinct = Correction(
        Action.DISTINCT, "there are two", agency("Alachua"), Selector(agency="Alachuaa County Sheriff's Office")
    )
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, misspelt))
        assert history.events() == ["changed Alachuaa"]
    with History(tmp_path, corrected(distinct)) as history:
        history.rebuild()

        assert sorted(history.events()) == ["new Alachuaa", "terminated Alachua provisional"]
        assert history.rules.corrections.unused() == []


def test_an_ignored_publication_makes_no_event_and_says_why(tmp_path: Path) -> None:
    wrong = participating(1, FORTY[3:])
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), wrong, participating(2, [*FORTY, sheriff("Polk")]))
        assert len(history.events()) == 7  # three taken for ended and come back, and one new
        (sha256,) = next(
            row for row in history.table("publication_log", "workbook_sha256, file_name") if row[1] == wrong.file_name
        )[:1]
    with History(
        tmp_path, corrected(Correction(Action.IGNORE, "a draft", after=Selector(workbook=sha256[:8])))
    ) as history:
        history.rebuild()

        assert history.events() == ["new Polk"]
        assert ("rejected", "a draft") in history.table("publication_log", "verdict, reason")
        assert history.rules.corrections.unused() == []


def test_a_fixed_value_is_the_clean_one_and_what_was_printed_stays(tmp_path: Path) -> None:
    wrong = [sheriff("Alachua", state="GEORGIA"), *FORTY[1:]]
    fix = Correction(Action.FIX, "Alachua is in Florida", after=agency("Alachua"), field="state", value="FL")
    with History(tmp_path) as history:
        history.post(participating(0, FORTY), participating(1, wrong))
        assert history.events() == ["changed Alachua"]
    with History(tmp_path, corrected(fix)) as history:
        history.rebuild()

        assert history.events() == []
        assert ("FL", "GEORGIA") in history.table("current_agreements", "state, printed_state")
        assert history.rules.corrections.unused() == []


def test_a_correction_ends_on_its_last_day(tmp_path: Path) -> None:
    wrong = [sheriff("Alachua", state="GEORGIA"), *FORTY[1:]]
    fix = Correction(
        Action.FIX, "until ICE fixed it", after=agency("Alachua"), field="state", value="FL", until=date(2025, 3, 4)
    )
    with History(tmp_path, corrected(fix)) as history:
        history.post(participating(0, FORTY), participating(1, wrong))
        assert history.events() == []
        history.post(participating(2, [*wrong, sheriff("Polk")]))

        assert sorted(history.events()) == ["changed Alachua", "new Polk"]


def test_a_correction_that_matches_nothing_any_more_is_reported(tmp_path: Path) -> None:
    used = Correction(Action.FIX, "a typing error", after=agency("Alachua"), field="county", value="Alachua County")
    idle = Correction(Action.SAME, "of another year", agency("Nowhere"), agency("Elsewhere"))
    with History(tmp_path, corrected(used, idle)) as history:
        history.post(participating(0, FORTY))
        history.rebuild()

        assert history.rules.corrections.unused() == [idle]
        assert idle.title == (
            "same: Nowhere County Sheriff's Office / Elsewhere County Sheriff's Office (of another year)"
        )


def test_a_rebuild_notes_which_corrections_it_was_made_with(tmp_path: Path) -> None:
    fix = Correction(Action.FIX, "a typing error", after=agency("Alachua"), field="county", value=None)
    with History(tmp_path) as history:
        history.post(participating(0, FORTY))
        history.rebuild()
        without = read.setting(history.connection, "corrections")
    with History(tmp_path, corrected(fix)) as history:
        history.rebuild()

        assert read.setting(history.connection, "corrections") == fingerprint(history.rules.corrections) != without


def test_status_knows_the_fingerprint_of_no_corrections() -> None:
    assert fingerprint(Corrections()) == WITHOUT_CORRECTIONS


def test_corrections_hold_when_the_history_is_continued_from_the_database(tmp_path: Path) -> None:
    """The list in force is read again from its raw file: its values must be the fixed ones."""
    fix = Correction(Action.FIX, "in Florida", after=agency("Alachua"), field="state", value="FL")
    lists = [
        participating(0, [sheriff("Alachua", state="GEORGIA"), *FORTY[1:]]),
        participating(1, [sheriff("Alachua", state="GEORGIA"), *FORTY[1:], sheriff("Polk")]),
        participating(2, [*FORTY, sheriff("Polk"), sheriff("Pasco")]),
    ]
    with History(tmp_path / "single", corrected(fix)) as history:
        history.post(*lists)

        assert history.events() == ["new Polk", "new Pasco"]
        assert history.snapshot() == in_one_go(tmp_path / "whole", lists, corrected(fix))


# Order


def test_sightings_of_one_moment_are_put_in_order_by_the_workbooks_own_dates(tmp_path: Path, folder: Path) -> None:
    """A crawl sees both lists of a day at once; a manifest may give one time to a whole folder."""
    both = [
        Posted("participating", 2, [*FORTY, sheriff("Polk"), sheriff("Pasco")], name="b.xlsx"),
        Posted("participating", 2, FORTY, name="a.xlsx", modified=participating(1, []).seen_at),
    ]
    with History(tmp_path) as history:
        history.backfill(write_folder(folder, both))

        assert history.events() == ["new Polk", "new Pasco"]


def test_the_order_of_the_lines_in_a_manifest_means_nothing(tmp_path: Path, folder: Path) -> None:
    with History(tmp_path / "reversed") as history:
        history.backfill(write_folder(folder, story()[::-1]))

        assert history.snapshot() == in_one_go(tmp_path / "whole", story())
