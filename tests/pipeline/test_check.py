"""One check, from the page to the record, over a real site: what it makes of what ICE does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import run
from pipeline.demo.server import Answer, Site
from tests.db.histories import COUNTIES, Posted, rows, sheriff
from tests.pipeline.demo.watched import PAGE, Watched, address, answer, cleared, link, local_site, post
from tests.workbooks import packed

SHERIFFS = rows(*COUNTIES[:40])
APPLICANTS = rows(*COUNTIES[40:44])
FIRST = Posted("participating", 0, SHERIFFS)
PENDING = Posted("pending", 0, APPLICANTS)
SECOND = Posted("participating", 1, [*SHERIFFS[1:], sheriff("Polk")])
HALF = Posted("participating", 1, SHERIFFS[:20])
NAME = "{} County Sheriff's Office".format
SECOND_EVENTS = [("new", "confirmed", NAME("Polk")), ("terminated", "provisional", NAME("Alachua"))]


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with local_site() as site:
        yield site


@pytest.fixture(scope="module")
def baseline(running: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history that knows the first two lists."""
    folder = tmp_path_factory.mktemp("baseline")
    post(running, FIRST, PENDING)
    with Watched(folder, running) as history:
        history.check()
    return folder


@pytest.fixture
def site(running: Site) -> Site:
    """A site with nothing on it."""
    return cleared(running)


@pytest.fixture
def watched(baseline: Path, site: Site, tmp_path: Path) -> Iterator[Watched]:
    """A history that knows the first two lists, which are still what the site has."""
    shutil.copytree(baseline, tmp_path / "history")
    post(cleared(site), FIRST, PENDING)
    with Watched(tmp_path / "history", site) as history:
        yield history


def test_the_first_check_records_the_lists_and_calls_nobody_new(site: Site, tmp_path: Path) -> None:
    post(site, FIRST, PENDING)

    with Watched(tmp_path, site) as watched:
        checked = watched.check()

        assert checked.outcome == "first"
        assert checked.message.startswith("baseline: ")
        assert len(watched.rows("current_agreements")) == 40
        assert watched.events() == []


def test_a_quiet_check_extends_the_sightings_and_adds_nothing_but_itself(site: Site, watched: Watched) -> None:
    told, sizes = watched.told(), watched.sizes()

    checked = watched.check()

    assert (checked.outcome, checked.message) == ("unchanged", "nothing has changed")
    assert (watched.told(), watched.sizes()) == (told, sizes)
    ((started,),) = watched.rows("check_log", "started_at")[-1:]
    for view in ("sighting", "publication_log"):
        assert all(started <= seen for (seen,) in watched.rows(view, "last_seen_at"))
    for path in (PAGE, address(FIRST), address(PENDING)):
        assert [asked.headers["if-none-match"] for asked in site.asked_for(path)] == [site.pages[path].headers["ETag"]]


def test_a_new_list_is_told_against_the_one_before(site: Site, watched: Watched) -> None:
    post(site, SECOND, PENDING)

    checked = watched.check()

    assert checked.outcome == "changed"
    assert f"{SECOND.file_name}: 40 rows, 1 new, 1 terminated" in checked.message
    assert sorted(watched.events()) == SECOND_EVENTS


def test_a_list_that_lost_its_half_is_held_and_tells_nothing(site: Site, watched: Watched) -> None:
    current = watched.rows("current_agreements")
    post(site, HALF, PENDING)

    checked = watched.check()

    assert checked.outcome == "held"
    assert "vanishing: 20 of 40 would vanish" in checked.message
    assert watched.events() == []
    assert watched.rows("current_agreements") == current


def test_a_held_list_is_told_when_the_next_bears_it_out(site: Site, watched: Watched) -> None:
    post(site, HALF, PENDING)
    watched.check()
    post(site, Posted("participating", 2, [*SHERIFFS[:20], sheriff("Polk")]), PENDING)

    assert watched.check().outcome == "changed"
    assert [(kind, status) for kind, status, _ in watched.events()].count(("terminated", "confirmed")) == 20


def test_a_held_list_is_forgotten_when_the_list_in_force_comes_back(site: Site, watched: Watched) -> None:
    post(site, HALF, PENDING)
    assert watched.checks(3) == ["held", "unchanged", "unchanged"]
    post(site, FIRST, PENDING)

    checked = watched.check()

    assert checked.outcome == "unchanged"
    assert "was posted again in its place" in checked.message
    assert watched.events() == []
    assert "held" not in [verdict for (verdict,) in watched.rows("publication_log", "verdict")]


def test_a_failure_is_told_once_as_new_then_as_known_then_as_over(site: Site, watched: Watched) -> None:
    told, page = watched.told(), site.pages[PAGE]
    site.pages[PAGE] = Answer(403, body=b"<html><title>Access Denied</title></html>")
    assert watched.checks(2) == ["failed", "failed-again"]
    site.pages[PAGE] = page

    assert watched.check().outcome == "recovered"
    assert watched.told() == told
    assert [outcome for (outcome,) in watched.rows("check_log", "outcome")][-3:] == [
        "failed",
        "failed-again",
        "recovered",
    ]


def test_a_check_that_cannot_be_made_is_a_failure_too(site: Site, watched: Watched) -> None:
    told = [run.not_made(watched.connection, "corrections.yaml: entry 1").outcome.value for _ in range(2)]

    assert told == ["failed", "failed-again"]
    assert watched.check().outcome == "recovered"
    assert watched.rows("check_log", "message")[-2] == ("corrections.yaml: entry 1",)


def test_a_change_after_a_failure_is_a_change(site: Site, watched: Watched) -> None:
    site.pages[PAGE] = Answer(503)
    watched.check()
    post(site, SECOND, PENDING)

    assert watched.check().outcome == "changed"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Answer(403, body=b"<html><title>Access Denied</title></html>"), "403 Forbidden: the server refuses"),
        (Answer(body=b"<html><body><p>287(g)</p></body></html>", headers={"ETag": '"2"'}), "links no list"),
        (Answer(body=b"<html><a href='/doclib/participating'>View participating</a></html>"), "have changed"),
        (Answer(404), "404 Not Found"),
    ],
    ids=["block page", "no links", "other links", "no page"],
)
def test_a_page_that_says_nothing_is_a_failure_never_unchanged(
    site: Site, watched: Watched, page: Answer, says: str
) -> None:
    told = watched.told()
    site.pages[PAGE] = page

    checked = watched.check()

    assert checked.outcome == "failed"
    assert says in checked.message
    assert watched.told() == told


def test_a_page_without_the_participating_list_is_a_failure(site: Site, watched: Watched) -> None:
    post(site, PENDING)

    checked = watched.check()

    assert checked.outcome == "failed"
    assert checked.message == "the page links no workbook that holds the participating list"


def test_a_page_without_the_pending_list_is_none(site: Site, watched: Watched) -> None:
    told = watched.told()
    post(site, FIRST)

    assert watched.checks(2) == ["unchanged", "unchanged"]
    assert watched.told() == told


def test_a_site_that_is_not_there_is_a_failure_in_one_line(tmp_path: Path) -> None:
    with Site() as site:
        pass

    with Watched(tmp_path, site) as watched:
        checked = watched.check()

    assert checked.outcome == "failed"
    assert "refused" in checked.message
    assert "\n" not in checked.message


def test_a_workbook_that_is_linked_before_it_is_there_is_fetched_when_it_comes(site: Site, watched: Watched) -> None:
    link(site, address(SECOND), address(PENDING))
    assert watched.checks(2) == ["failed", "failed-again"]
    site.pages[address(SECOND)] = answer(SECOND)
    site.requests.clear()

    assert watched.check().outcome == "changed"
    assert sorted(watched.events()) == SECOND_EVENTS
    assert "if-none-match" in site.asked_for(PAGE)[0].headers
    assert "if-none-match" not in site.asked_for(address(SECOND))[0].headers


def test_one_list_goes_on_while_the_other_cannot_be_had(site: Site, watched: Watched) -> None:
    post(site, SECOND, PENDING)
    site.pages[address(PENDING)] = Answer(500)

    checked = watched.check()

    assert checked.outcome == "changed"
    assert "500 Internal Server Error" in checked.message
    assert sorted(watched.events()) == SECOND_EVENTS


def test_a_list_overwritten_in_place_is_noticed_though_the_page_stands(site: Site, watched: Watched) -> None:
    site.pages[address(FIRST)] = answer(SECOND)

    assert watched.check().outcome == "changed"
    assert sorted(watched.events()) == SECOND_EVENTS


def test_of_two_participating_lists_the_newer_counts(site: Site, watched: Watched) -> None:
    post(site, FIRST, SECOND, PENDING)

    assert watched.checks(2) == ["changed", "unchanged"]
    assert sorted(watched.events()) == SECOND_EVENTS


def test_the_same_list_under_a_new_name_makes_no_event(site: Site, watched: Watched) -> None:
    told = watched.told()
    post(site, FIRST.seen_again(1, name="participatingAgencies03042025pm.xlsx"), PENDING)

    assert watched.check().outcome == "unchanged"
    assert watched.told() == told
    assert ("participatingAgencies03042025pm.xlsx",) in watched.rows("sighting", "file_name")


def test_swapped_names_do_not_swap_the_lists(site: Site, watched: Watched) -> None:
    names = "pendingAgencies03042025pm.xlsx", "participatingAgencies03042025pm.xlsx"
    post(
        site,
        Posted("participating", 1, SHERIFFS, names[0]),
        Posted("pending", 1, [*APPLICANTS, sheriff("Polk")], names[1]),
    )

    assert watched.check().outcome == "changed"
    assert watched.events() == [("pending", "confirmed", NAME("Polk"))]


def test_an_old_list_at_a_new_address_is_held(site: Site, watched: Watched) -> None:
    post(site, SECOND, PENDING)
    assert watched.checks(3) == ["changed", "unchanged", "unchanged"]
    post(site, FIRST.seen_again(2, name="participatingAgencies03052025.xlsx"), PENDING)

    checked = watched.check()

    assert checked.outcome == "held"
    assert f"not_older: posted before {SECOND.file_name}, which replaced it" in checked.message
    assert sorted(watched.events()) == SECOND_EVENTS


def test_an_old_list_at_its_old_address_is_noticed_though_it_answers_304(site: Site, watched: Watched) -> None:
    post(site, FIRST, SECOND, PENDING)
    assert watched.checks(3) == ["changed", "unchanged", "unchanged"]
    post(site, FIRST, PENDING)
    site.requests.clear()

    checked = watched.check()

    assert checked.outcome == "held"
    assert "not_older" in checked.message
    assert [asked.headers["if-none-match"] for asked in site.asked_for(address(FIRST))] == [
        answer(FIRST).headers["ETag"]
    ]


def test_a_clock_that_was_ahead_does_not_turn_the_order_of_the_lists_round(site: Site, watched: Watched) -> None:
    for table in ("sighting", "publication"):
        column = "seen_at" if table == "sighting" else "first_seen_at"
        watched.connection.execute(f"update {table} set {column} = '2999' || substr({column}, 5)")  # noqa: S608
    post(site, SECOND, PENDING)

    assert watched.check().outcome == "changed"
    assert sorted(watched.events()) == SECOND_EVENTS


def test_robots_txt_is_obeyed(site: Site, watched: Watched) -> None:
    site.pages["/robots.txt"] = Answer(body=b"User-agent: *\nDisallow: /\n")

    checked = watched.check()

    assert checked.outcome == "failed"
    assert checked.message.endswith("robots.txt forbids it")
    assert site.asked_for(PAGE) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><html><title>Sorry</title></html>", "a web page where a workbook should be"),
        (b"", "an empty body where a workbook should be"),
        (FIRST.data[:-30], "a zip file without its end where a workbook should be"),
        (packed({"xl/workbook.xml": b"<workbook"}), "cannot be read"),
    ],
    ids=["web page", "empty", "cut short", "unreadable"],
)
def test_what_is_no_workbook_is_a_failure_in_one_line(site: Site, watched: Watched, body: bytes, says: str) -> None:
    told = watched.told()
    site.pages["/doclib/new.xlsx"] = Answer(headers={"ETag": '"new"'}, body=body)
    link(site, "/doclib/new.xlsx", address(PENDING))

    checked = watched.check()

    assert checked.outcome == "failed"
    assert checked.message.startswith("new.xlsx")
    assert says in checked.message
    assert "\n" not in checked.message
    assert watched.check().outcome == "failed-again"
    assert watched.told() == told


def test_the_printed_totals_only_warn(site: Site, tmp_path: Path) -> None:
    post(site, FIRST, prose="ICE has signed 1,287 Memorandums of Agreement covering 40 states.")

    with Watched(tmp_path, site) as watched:
        assert watched.check().outcome == "first"
        (checks,) = (checks for (checks,) in watched.rows("publication_log", "checks"))

    assert "the page says 1287 agreements, the workbook has 40 rows" in checks


def test_an_address_without_a_name_takes_it_from_content_disposition(site: Site, watched: Watched) -> None:
    named = {**answer(SECOND).headers, "Content-Disposition": f'attachment; filename="{SECOND.file_name}"'}
    site.pages["/file-download/download/public/287001"] = Answer(headers=named, body=SECOND.data)
    link(site, "/file-download/download/public/287001", address(PENDING))

    assert watched.check().outcome == "changed"
    assert (SECOND.file_name, "2025-03-04", "file_name") in watched.rows(
        "publication_log", "file_name, published_on, dated_by"
    )


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("commits", range(1, 6))
def test_a_check_that_dies_asks_again_for_what_it_has_not_recorded(site: Site, watched: Watched, commits: int) -> None:
    """The five commits: raw files, descriptions, page and sightings, history, check."""
    post(site, SECOND, PENDING)
    left = commits

    def die() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise _Killed

    with pytest.raises(_Killed):
        watched.check(die)
    site.requests.clear()
    watched.check()

    assert sorted(watched.events()) == SECOND_EVENTS
    asked = site.asked_for(address(SECOND))[0].headers
    assert ("if-none-match" in asked) is (commits > 2)
