"""Twelve days of the simulated year, with five times its trouble; and whether what is wrong in one would be noticed."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from db.outbox import BEGUN, OVER
from tests import affairs_told, reckoning
from tests.affairs_told import Said, outages
from tests.archive import needs_archive
from tests.failures import FAILURES
from tests.postings import APART, last_chances, spread
from tests.replay import manifest
from tests.year import HOURS, Year, course, totals, undisturbed

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures processes as Linux counts them")


@linux
@needs_archive
def test_days_of_trouble_end_in_the_history_of_days_without(tmp_path: Path) -> None:
    days = course(manifest()[:40], hours=288, share=0.25, seed=61, lengths=(80, 17, 0, 3))
    reference = undisturbed(days, tmp_path)

    with Year(tmp_path, days, totals(reference)) as lived:
        lived.run()

        assert reckoning.wrong(lived, reference) == []
        assert len({failure.name for failure in days.failures.values()}) > 30
        assert any(len(outage) > 24 for outage in outages(days.failures))


@needs_archive
def test_a_year_posts_every_sighting_in_order_and_leaves_time_to_see_it() -> None:
    year = course(manifest(), HOURS)

    assert len(year.postings) == len(manifest())
    for name in ("participating", "pending"):
        hours = [posting.hour for posting in year.postings if posting.list == name]
        assert min(after - before for before, after in pairwise(hours)) >= APART
    assert {failure.name for failure in year.failures.values()} == {failure.name for failure in FAILURES}
    assert not last_chances(spread(manifest(), HOURS)) & year.failures.keys()
    assert all(year.at(posting.hour) >= posting.seen.seen_at for posting in year.postings)


BLOCKED = "failing:blocked"
OF_ONE = [Said(BLOCKED, BEGUN, 5.0), Said(BLOCKED, OVER, 7.0)]


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        (OF_ONE, None),
        ([], "not told at once"),
        ([*OF_ONE, Said(BLOCKED, BEGUN, 40.0), Said(BLOCKED, OVER, 41.0)], None),
        ([*OF_ONE, Said(BLOCKED, BEGUN, 20.0), Said(BLOCKED, OVER, 21.0)], "and again at 20"),
        ([*OF_ONE, Said(BLOCKED, BEGUN, 50.0), Said(BLOCKED, OVER, 51.0)], "was told at the hours"),
        ([*OF_ONE, Said(BLOCKED, OVER, 8.0)], "an end was told twice"),
        (OF_ONE[:1], "to be over at the hours []"),
        ([OF_ONE[0], OF_ONE[0], OF_ONE[1]], "was told 2 times"),
        ([*OF_ONE, Said("failing:tls", BEGUN, 9.0)], "failing:tls was told"),
        ([*OF_ONE, Said("held:x", BEGUN, 9.0), Said("held:x", BEGUN, 90.0)], "held:x was told 2 times"),
    ],
)
def test_what_operators_hear_too_often_or_not_at_all_is_noticed(messages: list[Said], complaint: str | None) -> None:
    blocked = next(failure for failure in FAILURES if failure.kind == "blocked")

    found = list(affairs_told.wrong(dict.fromkeys((5, 6, 20, 40), blocked), messages, after=3))

    assert any(complaint in line for line in found) if complaint else not found


def test_what_lasts_longer_than_the_quiet_time_must_be_told() -> None:
    blocked = next(failure for failure in FAILURES if failure.kind == "blocked")
    failures = dict.fromkeys((5, *range(10, 40)), blocked)

    found = list(affairs_told.wrong(failures, [Said(BLOCKED, BEGUN, 5.0), Said(BLOCKED, OVER, 6.0)], after=3))

    assert len(found) == 1
    assert "lasted and was not told" in found[0]


def test_what_may_mend_itself_is_told_after_so_many_failures_and_not_before() -> None:
    hanging = next(failure for failure in FAILURES if failure.kind == "timeout")
    failures, key = dict.fromkeys((5, 10, 11, 12), hanging), "failing:timeout"

    def complaints(hour: float) -> list[str]:
        told = [Said(key, BEGUN, hour), Said(key, OVER, 13.0)]
        return list(affairs_told.wrong(failures, told, after=2))

    assert complaints(11.0) == []
    assert complaints(10.0)
    assert complaints(5.0)
