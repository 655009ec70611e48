"""Charts and the map."""

from __future__ import annotations

import re
from importlib import resources
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.site import charts, tiles
from pipeline.publish.site.charts import Series, chart
from pipeline.reading.places import states

DAYS = ("2025-02-21", "2025-02-26", "2025-03-01", "2025-06-30")


def test_a_curve_is_of_steps_and_begins_at_nought() -> None:
    made = chart(DAYS, [Series("all", (0, 50, 50, 100))], 104)
    assert made is not None
    assert made.curves[0].path == "M0 104H39V54H1000V4H1000"
    assert [(tick.value, tick.place) for tick in made.ticks] == [("0", "104"), ("50", "54"), ("100", "4")]


def test_the_table_has_the_last_list_of_each_month() -> None:
    made = chart(DAYS, [Series("all", (1, 2, 3, 4)), Series("some", (0, 1, 1, 2))], 100)
    assert made is not None
    assert made.rows == (("2025-02", (2, 1)), ("2025-03", (3, 1)), ("2025-06", (4, 2)))


def test_one_day_makes_no_chart() -> None:
    assert chart(DAYS[:1], [Series("all", (1,))], 100) is None
    assert chart((), [], 100) is None


@given(st.lists(st.lists(st.integers(0, 5000), min_size=4, max_size=4), min_size=1, max_size=4))
def test_labels_never_lie_over_each_other_and_ticks_are_few(numbers: list[list[int]]) -> None:
    made = chart(DAYS, [Series(str(at), tuple(some)) for at, some in enumerate(numbers)], 320)
    assert made is not None
    places = sorted(one.label_y for one in made.curves)
    assert all(lower - higher >= 30 for higher, lower in pairwise(places))
    assert len(made.ticks) <= 6
    assert all(0 <= int(y) <= 320 for one in made.curves for y in re.findall(r"V(\d+)", one.path))


@given(st.dates(), st.dates())
def test_an_axis_of_any_length_names_few_months(one: object, other: object) -> None:
    first, last = sorted((str(one), str(other)))
    made = chart((first, last), [Series("all", (1, 2))], 100)
    if made is not None:
        assert len(made.months) <= 7
        assert all(0 <= float(tick.place) <= 94 for tick in made.months)


def test_every_state_and_territory_has_one_place_on_the_map() -> None:
    postals = [tile.postal for tile in tiles.tiles({}, ())]
    assert sorted(postals) == sorted(states())
    look = resources.files(charts.__package__ or "").joinpath("site.css").read_text(encoding="utf-8")
    grid = {}
    for row, line in enumerate(tiles.ROWS, 1):
        for column, postal in enumerate(line.split(), 1):
            grid[postal.lower()] = f"{row}/{column}"
    del grid["--"]
    assert dict(re.findall(r"\.at-(\w\w) \{ grid-area: (\d+/\d+) \}", look)) == grid


def test_the_shades_follow_the_numbers() -> None:
    numbers = {"AK": 0, "ME": 1, "VT": 9, "NH": 10, "WA": 49, "ID": 99, "MT": 100, "ND": 5000}
    found = {tile.postal: tile.level for tile in tiles.tiles(numbers, ())}
    assert [found[postal] for postal in numbers] == [0, 1, 1, 2, 3, 4, 5, 5]
