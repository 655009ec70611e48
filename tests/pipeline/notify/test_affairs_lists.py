"""What operators hear of the lists: held ones, overdue ones, and what in them is not known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import write
from db.connect import transaction
from db.records import Verdict
from pipeline.notify.affairs import current, findings
from pipeline.reading import dates, normalize
from pipeline.reports.messages.content import Affair
from tests.db.histories import COUNTIES, NOW, History, Posted, Row, rows, sheriff, write_folder

PAGE = "https://www.ice.gov/identify-and-arrest/287g"
ALL = rows(*COUNTIES)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path) as made:
        yield made


def affairs(history: History, no_new_list_days: float | None = None) -> list[Affair]:
    return current(history.connection, NOW, 26, no_new_list_days)


def keys(history: History) -> list[str]:
    return [affair.key for affair in affairs(history)]


def linked(history: History, *lists: str) -> None:
    """ICE's page links these lists."""
    links = [
        {"url": f"https://www.ice.gov/doclib/{name}.xlsx", "text": name, "list_hint": name, "known_shape": True}
        for name in lists
    ]
    with transaction(history.connection):
        write.set_page(history.connection, PAGE, None, None, links, None, NOW)


def daily(days: int, last: int) -> list[Posted]:
    """A new participating list on each of so many days, the last of which still stands on another day."""
    posted = [Posted("participating", day, rows(*COUNTIES[: 20 + day % 2])) for day in range(days)]
    return [*posted, posted[-1].seen_again(last)]


def odd(**cells: object) -> Row:
    return sheriff("Polk", **cells)


def test_a_list_that_is_held_is_told_with_its_reasons_and_what_decides(history: History) -> None:
    history.post(Posted("participating", 0, ALL), Posted("participating", 1, ALL[:10]))
    short = history.held().workbook[:12]

    (affair,) = affairs(history)

    assert affair.key == f"held:participating:{short}:2025-03-04T14:00:00Z"
    assert affair.title == (
        "a participating list is held, and its changes are not told: participatingAgencies03042025am.xlsx"
    )
    assert affair.details[0] == "Failed check `vanishing`: 40 of 50 would vanish"
    assert affair.commands == (
        f"watch287g held release {short} --why 'your reason'",
        f"watch287g held reject {short} --why 'your reason'",
    )
    assert affair.since == "2025-03-04T14:00:00Z"


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED])
def test_a_decision_ends_what_is_held(history: History, verdict: Verdict) -> None:
    history.post(Posted("participating", 0, ALL), Posted("participating", 1, ALL[:10]))
    history.decide(verdict)

    assert affairs(history) == []


def test_a_next_list_that_is_held_is_another_affair(history: History) -> None:
    history.post(Posted("participating", 0, ALL), Posted("participating", 1, ALL[:25]))
    before = keys(history)
    history.post(Posted("participating", 2, ALL[25:]))

    assert len(keys(history)) == 1
    assert keys(history) != before


def test_a_list_that_stands_for_longer_than_the_gaps_so_far_is_overdue(history: History) -> None:
    history.backfill(write_folder(history.folder / "posted", daily(25, last=28)))
    linked(history, "participating")
    assert affairs(history) == []

    history.post(daily(25, last=28)[-2].seen_again(29))
    (affair,) = affairs(history)

    assert affair.key == "no_new_list:participating:2025-03-27T14:00:00Z"
    assert affair.title == "no new participating list since 2025-03-27T14:00:00Z"
    assert affair.details[1:3] == (
        "The usual gap is 1.0 days; the longest in the year before was 1.0.",
        "It may stand for 4 days, judged by those gaps.",
    )


def test_too_few_lists_say_nothing_of_what_is_usual(history: History) -> None:
    history.backfill(write_folder(history.folder / "posted", daily(20, last=200)))
    linked(history, "participating")

    assert affairs(history) == []


def test_the_config_may_say_how_long_a_list_may_stand(history: History) -> None:
    history.backfill(write_folder(history.folder / "posted", daily(2, last=6)))
    linked(history, "participating")

    assert affairs(history, no_new_list_days=5) == []
    (affair,) = affairs(history, no_new_list_days=4.5)
    assert affair.key == "no_new_list:participating:2025-03-04T14:00:00Z"
    assert affair.details[1] == "It may stand for 4.5 days (`alerts.operators.no_new_list_days`)."


def test_a_list_that_nobody_has_seen_lately_is_not_overdue(history: History) -> None:
    """Checks that fail, or have stopped, or a page without the list, say nothing of how long a list stands."""
    history.backfill(write_folder(history.folder / "posted", daily(25, last=60)))
    assert affairs(history) == []

    linked(history, "pending")
    assert affairs(history) == []

    linked(history, "participating")
    assert len(affairs(history)) == 1


def test_a_new_list_ends_it(history: History) -> None:
    history.backfill(write_folder(history.folder / "posted", daily(25, last=60)))
    linked(history, "participating")
    history.post(Posted("participating", 61, rows(*COUNTIES[:22])))

    assert affairs(history) == []


@pytest.mark.parametrize(
    ("cells", "code", "title"),
    [
        ({"state": "Floorida Keys"}, "unknown_state", "a state that is not known: STATE 'Floorida Keys' cannot be"),
        ({"model": "Street Model"}, "unknown_model", "a support model that is not known: SUPPORT TYPE 'Street Model'"),
        ({"type": "Tribe"}, "unknown_type", "a type of agency that is not known: TYPE 'Tribe' is not known"),
        ({"signed": "someday"}, "date_unreadable", "a signing date that cannot be read: SIGNED is 'someday'"),
        ({"signed": None}, "date_missing", "an agreement without a signing date: SIGNED is blank"),
    ],
)
def test_a_value_that_is_not_known_is_told_with_its_row(
    history: History, cells: dict[str, object], code: str, title: str
) -> None:
    history.post(Posted("participating", 0, [*rows("Lee"), odd(**cells)]))

    (affair,) = affairs(history)

    assert affair.key.startswith(f"finding:participating:{code}:")
    assert affair.title.startswith(f"the participating list has {title}")
    assert affair.details[1].startswith("participatingAgencies03032025am.xlsx, row 3 (Polk County Sheriff's Office): ")
    assert affair.commands == ("watch287g rebuild",)


def test_it_keeps_its_key_from_list_to_list_and_says_since_when(history: History) -> None:
    known, unknown = rows("Lee"), [odd(type="Tribe")]
    history.post(Posted("participating", 0, [*known, *rows("Polk")]), Posted("participating", 1, [*known, *unknown]))
    before = affairs(history)
    history.post(Posted("participating", 2, [*unknown, *known, *rows("Bay")]))

    assert [affair.since for affair in before] == ["2025-03-04T14:00:00Z"]
    assert [(affair.key, affair.since) for affair in affairs(history)] == [(before[0].key, before[0].since)]

    history.post(Posted("participating", 3, [*known, *rows("Bay", "Polk")]))
    assert affairs(history) == []


def test_another_value_is_another_affair(history: History) -> None:
    history.post(Posted("participating", 0, [odd(type="Tribe"), odd(type="Campus", agency="Bay Police")]))

    assert len(set(keys(history))) == 2


def test_many_values_at_once_are_one_affair_that_names_five_rows(history: History) -> None:
    history.post(Posted("participating", 0, [sheriff(county, type=f"{county} of old") for county in COUNTIES[:8]]))

    (affair,) = affairs(history)

    assert affair.key == "finding:participating:unknown_type"
    assert affair.title == "the participating list has a type of agency that is not known"
    assert sum(", row " in line for line in affair.details) == 5
    assert "and 3 more" in affair.details


def test_a_column_that_is_not_known_is_told_by_its_name(history: History) -> None:
    history.post(Posted("participating", 0, rows("Lee")))
    with transaction(history.connection):
        history.connection.execute(
            "insert into finding values (1, 'unknown_column', 1, null, 'column ''FOO'' is not known')"
        )

    (affair,) = affairs(history)

    assert affair.title == "the participating list has a column that is not known: column 'FOO' is not known"
    assert affair.commands == ()


def test_what_ice_misspells_every_month_needs_nobody(history: History) -> None:
    noise = [odd(state="FLORDIA", model="Task Force Modle", signed="7/72025", moa="Cons") | {"COUNTY": "Utopia County"}]
    history.post(Posted("participating", 0, [*rows("Lee"), *noise]))

    assert history.connection.execute("select count(*) from finding").fetchone()[0] == 5
    assert affairs(history) == []


def test_a_word_that_ice_begins_to_use_in_many_rows_is_told(history: History) -> None:
    history.post(Posted("participating", 0, [sheriff(county, moa="see website") for county in COUNTIES[:20]]))

    (affair,) = affairs(history)

    assert affair.title.startswith("the participating list has a link's text that is not known: MOA says 'see website'")


def test_what_holds_a_list_is_not_told_twice(history: History) -> None:
    history.post(Posted("participating", 0, ALL))
    history.post(Posted("participating", 1, [sheriff(county, state="Nowhere") for county in COUNTIES]))

    assert [key.partition(":")[0] for key in keys(history)] == ["held"]


def test_hostile_values_come_out_on_one_printable_line(history: History) -> None:
    hostile = "\u202e<script>\n=cmd|'/c calc'!A0 \u200f" + "A" * 10_000
    history.post(Posted("participating", 0, [*rows("Lee"), odd(agency=hostile, type=hostile)]))
    with transaction(history.connection):
        history.connection.execute("update publication set file_name = ?, verdict = 'held'", (hostile,))

    found = affairs(history)

    assert len(found) == 2
    for affair in found:
        for line in (affair.key, affair.title, *affair.details, *affair.commands, affair.since):
            assert line.isprintable()
            assert len(line) <= 400


def test_of_every_oddity_it_is_settled_whether_it_needs_a_person() -> None:
    """Who adds a code to the reading decides it here too."""
    codes = set[str]()
    for module in (normalize, dates):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Finding"), args=[ast.Constant(value=str(code)), *_]):
                    codes.add(code)
                case ast.Call(
                    func=ast.Attribute(attr="append"), args=[ast.Tuple(elts=[ast.Constant(value=str(code)), *_])]
                ):
                    codes.add(code)
                case ast.Constant(value=str(code)) if code.startswith("date_"):
                    codes.add(code)

    assert {"unknown_column", "date_as_number", "foreign_link"} <= codes
    assert codes == findings.CODES | findings.READ_ALL_THE_SAME


def test_now_is_of_no_matter_to_lists(history: History) -> None:
    history.post(Posted("participating", 0, ALL), Posted("participating", 1, ALL[:10]))
    later = current(history.connection, datetime(2030, 1, 1, tzinfo=UTC), 26, None)

    assert later == affairs(history)
