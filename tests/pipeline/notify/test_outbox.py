"""Who is to hear of what is noted with the events themselves, once, and only of changes that were seen happening."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.connect import transaction
from db.records import Verdict
from pipeline.derive import Historian, Rules
from pipeline.notify.outbox import Outbox
from pipeline.tracking.corrections import Action, Correction, Corrections, Selector
from tests.db.histories import COUNTIES, Posted, rows, sheriff, write_folder
from tests.pipeline.notify.watching import Watched, settings

EVERYBODY = settings({"name": "all"})
TWENTY = COUNTIES[:20]


def lists(*counties_by_day: tuple[str, ...]) -> list[Posted]:
    return [Posted("participating", day, rows(*counties)) for day, counties in enumerate(counties_by_day)]


def test_the_first_check_tells_nobody(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(*lists(TWENTY))
        assert watched.noted() == []


def test_a_change_between_two_checks_is_told_once_to_each_channel(tmp_path: Path) -> None:
    two = settings({"name": "all", "channels": [{"folder": "a"}, {"email": ["a@b.org", "c@d.org"]}]}, mail=MAIL)
    with Watched(tmp_path, two) as watched:
        watched.see(*lists(TWENTY, (*TWENTY, "Polk")))
        assert watched.noted() == [
            "all/folder told new Polk",
            "all/email/a@b.org told new Polk",
            "all/email/c@d.org told new Polk",
        ]


MAIL = {"host": "localhost", "sender": "alerts@example.org"}


def test_backfill_tells_nobody(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.backfill(write_folder(tmp_path / "kept", lists(TWENTY, TWENTY[1:], (*TWENTY, "Polk"))))
        assert watched.events()
        assert watched.noted() == []


def test_the_first_check_after_a_backfill_tells_nobody_and_the_second_does(tmp_path: Path) -> None:
    kept, first, second = lists(TWENTY, (*TWENTY, "Polk"), (*TWENTY, "Polk", "Pasco"))
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.backfill(write_folder(tmp_path / "kept", [kept]))
        watched.see(first, second)
        assert watched.events() == ["new Polk", "new Pasco"]
        assert watched.noted() == ["all/folder told new Pasco"]


def test_a_rebuild_tells_nothing_again(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(*lists(TWENTY, (*TWENTY, "Polk"), TWENTY[1:]))
        before = watched.noted()
        watched.rebuild()
        assert watched.noted() == before


def test_what_a_killed_check_left_is_told_by_whoever_takes_it_in(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        first, second = lists(TWENTY, (*TWENTY, "Polk"))
        watched.see(first)
        watched.note_sighting(second)
        watched.backfill(write_folder(tmp_path / "kept", [Posted("participating", -3, rows(*TWENTY[2:]))]))
        assert watched.noted() == ["all/folder told new Polk"]


def test_older_lists_that_turn_up_later_tell_nothing_and_take_nothing_back(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(*lists(TWENTY, (*TWENTY, "Polk"), (*TWENTY[1:], "Polk")))
        before = watched.noted()
        between = Posted("participating", 0, rows(*TWENTY, "Polk", "Pasco"), hour=5)
        watched.backfill(write_folder(tmp_path / "kept", [Posted("participating", -3, rows(*TWENTY[2:])), between]))
        assert "new Pasco" in watched.events()
        assert watched.noted() == before


def test_a_return_takes_back_from_exactly_those_who_were_told(tmp_path: Path) -> None:
    texas = {"name": "texas", "states": ["TX"]}
    ends = {"name": "ends", "kinds": ["terminated"]}
    with Watched(tmp_path, settings(texas, ends)) as watched:
        watched.see(*lists(TWENTY, TWENTY[1:], TWENTY))
        gone = TWENTY[0]
        assert watched.noted() == [
            f"ends/folder told terminated {gone} provisional",
            f"ends/folder retracted terminated {gone} retracted",
        ]


def test_whoever_waits_for_confirmation_hears_once_it_is_borne_out(tmp_path: Path) -> None:
    patient = {"name": "patient", "provisional": False}
    with Watched(tmp_path, settings(patient)) as watched:
        watched.see(*lists(TWENTY, TWENTY[1:]))
        assert told(watched) == []
        watched.see(Posted("participating", 3, rows(*TWENTY[1:], "Polk")))
        assert told(watched) == [
            "patient/folder told new Polk",
            f"patient/folder confirmed terminated {TWENTY[0]}",
        ]
        watched.rebuild()
        assert len(told(watched)) == 2


def test_whoever_waits_hears_also_if_a_backfill_bears_it_out(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "patient", "provisional": False, "kinds": ["terminated"]})) as watched:
        watched.see(*lists(TWENTY, TWENTY[1:]))
        later = Posted("participating", 3, rows(*TWENTY[1:]), modified=datetime(2025, 3, 6, tzinfo=UTC))
        watched.backfill(write_folder(tmp_path / "kept", [later]))
        assert told(watched) == [f"patient/folder confirmed terminated {TWENTY[0]}"]


def told(watched: Watched) -> list[str]:
    """What is noted and not dropped."""
    return [line for line in watched.noted() if "dropped" not in line]


def test_whoever_waits_for_confirmation_never_hears_of_what_is_taken_back(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "patient", "provisional": False, "kinds": ["terminated"]})) as watched:
        watched.see(*lists(TWENTY, TWENTY[1:], TWENTY))
        assert told(watched) == []


def test_a_withdrawal_is_told_in_the_check_that_finds_it(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "all", "kinds": ["withdrawn"]})) as watched:
        watched.see(
            Posted("participating", 0, rows(*TWENTY)),
            Posted("pending", 0, rows("Polk", "Orange"), hour=1),
            Posted("pending", 2, rows("Orange")),
            Posted("pending", 40, rows("Orange", "Pasco")),
        )
        assert watched.noted() == ["all/folder told withdrawn Polk"]


def test_a_verdict_on_a_held_list_tells_what_it_lets_in(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 1, rows(*COUNTIES[:20])))
        assert watched.noted() == []
        watched.decide(Verdict.ACCEPTED)
        assert len(watched.noted()) == 20
        assert all("told terminated" in line for line in watched.noted())


def test_a_verdict_that_is_undone_takes_back_what_it_told(tmp_path: Path) -> None:
    from db import read

    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 1, rows(*COUNTIES[:20])))
        watched.decide(Verdict.ACCEPTED)
        watched.compose()
        (decided,) = read.decided_by_operator(watched.connection, "")
        watched.historian().undo(decided)
        taken_back = [line for line in watched.noted() if "all/folder retracted terminated" in line]
        assert len(taken_back) == 20
        watched.decide(Verdict.ACCEPTED)
        again = [line for line in watched.noted() if "all/folder told terminated" in line]
        assert len(again) == 40
        assert len({message.id for message in watched.compose()}) == 3


def test_what_was_not_put_into_a_message_yet_is_dropped_when_the_history_no_longer_has_it(tmp_path: Path) -> None:
    from db import read

    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 1, rows(*COUNTIES[:20])))
        watched.decide(Verdict.ACCEPTED)
        (decided,) = read.decided_by_operator(watched.connection, "")
        watched.historian().undo(decided)
        assert watched.compose() == []


def test_a_correction_of_the_operators_takes_back_what_it_shows_to_be_wrong(tmp_path: Path) -> None:
    same = Correction(
        Action.SAME,
        "the county renamed its office",
        before=Selector(agency="Lee County Sheriff's Office"),
        after=Selector(agency="Board of Wardens of Leeland"),
    )
    before = rows(*TWENTY, "Lee")
    after = [*rows(*TWENTY), sheriff("Lee", agency="Board of Wardens of Leeland")]
    with Watched(tmp_path, EVERYBODY) as watched:
        watched.see(Posted("participating", 0, before), Posted("participating", 1, after))
        told = watched.noted()
        assert told == ["all/folder told new Board of Wardens of Leeland", "all/folder told terminated Lee provisional"]
        watched.compose()
        watched.rules = Rules(corrections=Corrections([same]))
        watched.rebuild()
        watched.rebuild()
        assert watched.noted() == [
            *told,
            "all/folder retracted new Board of Wardens of Leeland retracted",
            "all/folder retracted terminated Lee retracted",
        ]


def test_what_vanishes_before_it_was_sent_and_stands_again_is_told(tmp_path: Path) -> None:
    patient = {"name": "patient", "provisional": False}
    with Watched(tmp_path, settings({"name": "all"}, patient)) as watched:
        watched.see(*lists(TWENTY, (*TWENTY[1:], "Polk"), (*TWENTY[1:], "Polk", "Pasco")))
        second = watched.connection.execute("select sha256 from workbook order by id").fetchall()[1][0]
        watched.rules = Rules(
            corrections=Corrections([Correction(Action.IGNORE, "taken for a draft", after=Selector(workbook=second))])
        )
        watched.rebuild()
        watched.rules = Rules()
        watched.rebuild()
        heard = [f"{m.subscriber} {t.event.kind} {t.event.agency}" for m in watched.compose() for t in m.told]
        polk, alachua = "new Polk County Sheriff's Office", f"terminated {TWENTY[0]} County Sheriff's Office"
        assert {f"all {polk}", f"patient {polk}", f"all {alachua}", f"patient {alachua}"} <= set(heard)
        assert len(heard) == len(set(heard))


def test_mere_corrections_go_only_where_they_were_asked_for(tmp_path: Path) -> None:
    some = settings(
        {"name": "plain"},
        {"name": "digests", "corrections": "digest", "channels": [{"folder": "a"}, WEEKLY]},
        {"name": "every", "corrections": "all"},
    )
    with Watched(tmp_path, some) as watched:
        moved = datetime(2025, 2, 25)  # noqa: DTZ001 - a cell has no time zone
        watched.see(
            Posted("participating", 0, rows(*TWENTY, "Polk")),
            Posted("participating", 1, [*rows(*TWENTY), sheriff("Polk", signed=moved)]),
        )
        assert watched.noted() == ["digests/weekly told changed Polk", "every/folder told changed Polk"]


WEEKLY = {"folder": "b", "name": "weekly", "digest": "friday 08:00 America/New_York"}


def test_notes_and_events_are_one_transaction(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        first, second = lists(TWENTY, (*TWENTY, "Polk"))
        watched.see(first)
        watched.note_sighting(second)

        class Broken(Outbox):
            def note(self, connection: object, steps: object) -> None:
                super().note(connection, steps)  # type: ignore[arg-type]
                raise RuntimeError

        historian = Historian(watched.connection, watched.archive, watched.rules, outbox=Broken(EVERYBODY.subscribers))
        with pytest.raises(RuntimeError):
            historian.derive()
        assert (watched.events(), watched.noted()) == ([], [])
        watched.historian().derive()
        assert (watched.events(), watched.noted()) == (["new Polk"], ["all/folder told new Polk"])


def test_a_target_is_noted_once_however_often_it_is_asked(tmp_path: Path) -> None:
    with Watched(tmp_path, EVERYBODY) as watched:
        steps = watched.see(*lists(TWENTY, (*TWENTY, "Polk")))
        with transaction(watched.connection):
            Outbox(EVERYBODY.subscribers).note(watched.connection, steps)
        assert watched.noted() == ["all/folder told new Polk"]
