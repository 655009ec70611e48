"""What operators hear of checks and of ICE's page: each state of affairs under one key for as long as it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import write
from db.connect import transaction
from db.records import Outcome, Trigger
from pipeline.notify.affairs import current, ends_are_news
from pipeline.reports.messages.content import Affair
from scraper.fetched import Result
from tests.db.histories import History, Posted, rows

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
PAGE = "https://www.ice.gov/identify-and-arrest/287g"
BLOCKED = ({"page": "blocked"}, f"the page {PAGE}: 403 Forbidden: the server refuses this agent or address")
LATE = ({"page": "timeout"}, f"the page {PAGE}: no whole answer in time")
WELL = ({"page": 200, "participatingAgencies.xlsx": 304}, "nothing has changed")

Answers = tuple[dict[str, str | int], str]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path) as made:
        yield made


def check(history: History, hour: float, answers: Answers, outcome: Outcome | None = None) -> None:
    """A check that was made so many hours after the start."""
    at = START + timedelta(hours=hour)
    usual = Outcome.UNCHANGED if answers is WELL else Outcome.FAILED
    with transaction(history.connection):
        write.add_check(history.connection, at, at, Trigger.SCHEDULE, outcome or usual, *answers)


def affairs(history: History, hour: float = 0) -> list[Affair]:
    return current(history.connection, START + timedelta(hours=hour), 26, None)


def keys(history: History, hour: float = 0) -> list[str]:
    return [affair.key for affair in affairs(history, hour)]


def link(name: str, hint: str | None, *, known: bool = True, text: str = "a list") -> dict[str, object]:
    return {"url": f"https://www.ice.gov/doclib/287g/{name}", "text": text, "list_hint": hint, "known_shape": known}


def page(history: History, *links: dict[str, object]) -> None:
    with transaction(history.connection):
        write.set_page(history.connection, PAGE, None, None, links, None, START)


def test_before_the_first_check_there_is_nothing_to_say(history: History) -> None:
    assert affairs(history) == []


def test_a_check_that_went_well_needs_nobody(history: History) -> None:
    check(history, 0, WELL)

    assert affairs(history) == []


def test_a_row_of_failures_is_one_affair_since_its_first(history: History) -> None:
    check(history, 0, BLOCKED)
    check(history, 1, WELL)
    for hour in (2, 3, 4):
        check(history, hour, ({"page": "blocked"}, f"403 Forbidden, reference #{hour}"))

    (affair,) = affairs(history, 4)

    assert (affair.key, affair.since) == ("failing:blocked", "2026-01-05T10:00:00Z")
    assert affair.title == "ICE's server refuses this program"
    assert affair.details[0] == "3 checks failed so, the last at 2026-01-05T12:00:00Z: 403 Forbidden, reference #4"
    assert affair.commands == ("watch287g check",)


def test_a_check_that_goes_well_ends_all_failures(history: History) -> None:
    check(history, 0, BLOCKED)
    check(history, 1, WELL, Outcome.RECOVERED)

    assert affairs(history, 1) == []


def test_two_failures_at_once_are_two_affairs(history: History) -> None:
    check(history, 0, ({"page": 200, "a.xlsx": "not_found", "b.xlsx": "html"}, "a.xlsx: 404; b.xlsx: a web page"))

    assert keys(history) == ["failing:not_found", "failing:no_workbook"]


def test_failures_that_take_turns_are_told_once_and_each_ends_after_a_day_of_others(history: History) -> None:
    check(history, 0, BLOCKED)
    check(history, 1, LATE)
    assert keys(history, 1) == ["failing:blocked", "failing:timeout"]

    for hour in range(2, 25):
        check(history, hour, LATE)
    assert keys(history, 24) == ["failing:timeout"]
    assert affairs(history, 24)[0].since == "2026-01-05T09:00:00Z"


def test_a_change_that_is_found_meanwhile_does_not_end_a_failure(history: History) -> None:
    missing = ({"page": 200, "a.xlsx": 200, "b.xlsx": "not_found"}, "participating list a.xlsx: 3 new; b.xlsx: 404")
    check(history, 0, missing)
    check(history, 1, missing, Outcome.CHANGED)

    (affair,) = affairs(history, 1)

    assert (affair.key, affair.since) == ("failing:not_found", "2026-01-05T08:00:00Z")


@pytest.mark.parametrize("result", [result for result in Result if result not in (Result.ok, Result.not_modified)])
@pytest.mark.parametrize("what", ["page", "a.xlsx"])
def test_every_way_to_fail_is_told_by_name(history: History, what: str, result: Result) -> None:
    check(history, 0, ({what: result.value}, "a message that says nothing"))

    (affair,) = affairs(history)

    assert affair.key.startswith("failing:")
    assert affair.key != "failing:other"


@pytest.mark.parametrize(
    ("answers", "message", "kind"),
    [
        ({"page": "refused"}, "no such host, or no network", "unreachable"),
        ({"page": "refused"}, "no answer: [('SSL routines', '', 'certificate verify failed')]", "tls"),
        ({"page": "crawl_failed"}, "not done within the crawl's limit of 600 s", "timeout"),
        ({"page": "crawl_failed"}, "the crawl's process was killed by signal 9", "crawl"),
        ({"page": "not_found"}, "404 Not Found", "page_not_found"),
        ({"page": 200, "a.xlsx": 200}, "a.xlsx cannot be read: encrypted: the workbook needs a password", "unreadable"),
        ({"page": 200}, "the page links no workbook that holds the participating list", "links"),
        ({"page": 200, "a.xlsx": 200}, "cannot store 0123456789ab in data: No space left on device", "archive"),
        ({"page": 200}, "the archive lacks 0123456789ab (No such file); restore data/01", "archive"),
        ({"page": "a word of tomorrow"}, "something else", "other"),
        ({"page": 200}, "something else", "other"),
        ({}, "config.yaml: source.delay must be a number", "mistake"),
        ({}, "corrections.yaml: entry 1: `same` needs `why`", "mistake"),
        ({}, "the check took too long and was ended", "not_made"),
    ],
)
def test_the_kind_of_a_failure_is_told_from_its_answers_and_words(
    history: History, answers: dict[str, str | int], message: str, kind: str
) -> None:
    check(history, 0, (answers, message))

    assert keys(history) == [f"failing:{kind}"]


def test_checks_that_have_stopped_are_told_by_the_last_one(history: History) -> None:
    check(history, 0, WELL)

    assert affairs(history, 26) == []
    (affair,) = affairs(history, 26.1)
    assert affair.key == "stopped:2026-01-05T08:00:00Z"
    assert affair.title == "no check has been made since 2026-01-05T08:00:00Z"
    assert keys(history, 500) == [affair.key]


def test_a_clock_that_was_ahead_for_one_check_hides_nothing(history: History) -> None:
    check(history, 9000, WELL)
    check(history, 0, WELL)

    assert keys(history, 30) == ["stopped:2026-01-05T08:00:00Z"]


def test_a_new_kind_of_link_is_one_affair_whatever_the_files_of_the_day_are_called(history: History) -> None:
    found = set()
    for name in ("2026-01/participatingAgencies01052026am.csv", "2026-02/ParticipatingAgency02062026pm_b.csv"):
        page(history, link("p.xlsx", "participating"), link("q.xlsx", "pending"), link(name, "pending", known=False))
        found |= set(keys(history))

    assert found == {"link_shape:www.ice.gov/doclib/#g/#-#/*.csv"}


def test_a_pending_list_that_the_page_links_no_more_is_told_after_a_day(history: History) -> None:
    participating, pending = Posted("participating", 0, rows("Lee")), Posted("pending", 0, rows("Polk"))
    history.post(pending, participating)
    page(history, link("p.xlsx", "participating"))
    assert affairs(history) == []

    history.post(participating.seen_again(1))
    (affair,) = affairs(history)
    history.post(participating.seen_again(40))

    assert affair.key == "not_linked:pending:2025-03-03T14:00:00Z"
    assert keys(history) == [affair.key]

    page(history, link("p.xlsx", "participating"), link("q.xlsx", "pending"))
    assert affairs(history) == []


def test_a_workbook_says_itself_which_list_its_link_leads_to(history: History) -> None:
    pending = Posted("pending", 0, rows("Polk"))
    history.post(pending, Posted("participating", 0, rows("Lee")), Posted("participating", 9, rows("Bay")))
    name = "participatingAgencies09222025pm.xlsx"
    page(history, link("p.xlsx", "participating"), link(name, "participating"))
    assert [key.partition(":")[0] for key in keys(history)] == ["not_linked"]

    workbook = history.connection.execute("select sha256 from workbook").fetchone()[0]
    with transaction(history.connection):
        write.set_link(history.connection, f"https://www.ice.gov/doclib/287g/{name}", workbook, name, None, None)

    assert affairs(history) == []


def test_hostile_words_come_out_on_one_printable_line(history: History) -> None:
    hostile = "\x1b[31m<b>\u202e\r\n" + "A" * 10_000
    check(history, 0, ({"page": 200, hostile: "blocked"}, f"{hostile}: 403 Forbidden"))
    page(history, link(f"{hostile}/x", None, known=False, text=hostile), link("p.xlsx", None))

    found = affairs(history, 48)

    assert [affair.key.partition(":")[0] for affair in found] == ["stopped", "failing", "link_shape"]
    for affair in found:
        for line in (affair.key, affair.title, *affair.details, *affair.commands, affair.since):
            assert line.isprintable()
            assert len(line) <= 400


def test_that_is_over_is_news_where_it_ends_by_itself() -> None:
    ending = ["failing:blocked", "stopped:2026-01-05T08:00:00Z", "not_linked:pending:x"]
    others = ["no_new_list:pending:x", "held:pending:0123456789ab:x", "link_shape:www.ice.gov/*.csv"]

    assert [ends_are_news(key) for key in ending + others] == [True] * 3 + [False] * 3


def test_a_failure_that_may_mend_itself_is_told_when_it_has_come_twice(history: History) -> None:
    check(history, 0, LATE)
    assert current(history.connection, START, 26, None, after_failures=2) == []
    check(history, 1, LATE)
    assert [one.key for one in current(history.connection, START, 26, None, after_failures=2)] == ["failing:timeout"]


def test_a_failure_that_needs_a_person_is_told_at_once(history: History) -> None:
    check(history, 0, BLOCKED)
    assert [one.key for one in current(history.connection, START, 26, None, after_failures=2)] == ["failing:blocked"]
