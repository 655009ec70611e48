"""The map: a square for each state and territory, about where it lies, with the number of its agreements.

The places are those of the grid that US newsrooms use; territories stand in a row of their own. `site.css` has them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.reading.places import states

ROWS = (
    "AK -- -- -- -- -- -- -- -- -- ME",
    "-- -- -- -- -- -- -- -- -- VT NH",
    "WA ID MT ND MN IL WI MI NY RI MA",
    "OR NV WY SD IA IN OH PA NJ CT --",
    "CA UT CO NE MO KY WV VA MD DE --",
    "-- AZ NM KS AR TN NC SC DC -- --",
    "-- -- -- OK LA MS AL GA -- -- --",
    "HI -- -- TX -- -- -- -- FL -- --",
    "-- AS GU MP -- -- -- -- -- PR VI",
)

LEVELS = ((1, 9), (10, 24), (25, 49), (50, 99), (100, None))
"""The shades: the least and the most agreements of each; a state without any is left blank."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A state on the map; `level` is its shade, 0 for none. `has_page` says whether the site has a page for it."""

    postal: str
    name: str
    number: int
    level: int
    has_page: bool


def tiles(numbers: Mapping[str, int], pages: Collection[str]) -> list[Tile]:
    """The tiles, row by row. `numbers` are agreements by postal code, `pages` the states that have a page."""
    order = [postal for row in ROWS for postal in row.split() if postal != "--"]
    return [
        Tile(postal, states()[postal].name, numbers.get(postal, 0), level(numbers.get(postal, 0)), postal in pages)
        for postal in order
    ]


def level(number: int) -> int:
    """The shade of a number of agreements."""
    return sum(number >= low for low, _ in LEVELS)
