"""The list in force on a day and those about it, as a citation shows them."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from db.records import ListName
from pipeline.citing.queries import (
    AFTER,
    BEFORE,
    LAST_SIGHTING,
    LEFT_OUT,
    NOT_COUNTED,
    ON,
    PUBLICATION,
    ROWS,
    SIGHTINGS,
)
from pipeline.citing.sought import NEAREST, Sought, spellings_of
from pipeline.queries import FIRST
from pipeline.reports.cited import Asked, Citation, LeftOut, NotCounted, Origin, Part, Row, Says, Seen, Shown

_CELLS = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
"""The printed cells that may be shown; the link targets behind them can name people."""


class NothingKnown(LookupError):  # noqa: N818 - a state of affairs
    """The history has no list for that day: `begins` is the date of its first one, None if it has none."""

    def __init__(self, begins: str | None) -> None:
        super().__init__(begins)
        self.begins = begins


def of_the_day(connection: sqlite3.Connection, list_name: ListName, on: str) -> sqlite3.Row:
    """The list in force at the end of a day.

    Raises:
        NothingKnown: there is none.
    """
    day: sqlite3.Row | None = connection.execute(ON, {"list": list_name, "on": on}).fetchone()
    if day is None:
        raise NothingKnown(connection.execute(FIRST, (list_name,)).fetchone()[0])
    return day


class Question:
    """What was asked, and the lists about that day."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        asked: Asked,
        is_it: Callable[[sqlite3.Row], bool],
        *,
        maybe: bool = False,
    ) -> None:
        self._connection = connection
        self._maybe = maybe
        self._is_it = is_it
        self.asked = asked
        self.day = of_the_day(connection, asked.list, asked.on)
        self._rows: dict[int, list[sqlite3.Row]] = {}

    def answer(self, having: Sequence[int]) -> Citation:
        """The citation; `having` are the ids of all the publications that list what was asked about, in their order."""
        here = dict(self.day) | {"list": self.asked.list}
        parts = {
            Part.OF_THE_DAY: self.day,
            Part.BEFORE: self._connection.execute(BEFORE, here).fetchone(),
            Part.AFTER: self._connection.execute(AFTER, here).fetchone(),
        }
        if self.day["id"] not in having and having:
            order = self._order()
            place = order[self.day["id"]]
            before = [ident for ident in having if order[ident] < place]
            after = [ident for ident in having if order[ident] > place]
            parts[Part.LAST_WITH] = self._publication(before[-1]) if before else None
            parts[Part.NEXT_WITH] = self._publication(after[0]) if after else None
        shown = {part: self._shown(row) for part, row in parts.items() if row is not None}
        wanted = {"list": self.asked.list, "since": self.day["published_on"], "on": self.asked.on}
        not_counted = [NotCounted(*row) for row in self._connection.execute(NOT_COUNTED, wanted)]
        absent = shown[Part.OF_THE_DAY].says is Says.NOT_LISTED
        last = self._connection.execute(LAST_SIGHTING, (self.asked.list,)).fetchone()[0]
        return Citation(self.asked, shown, (), tuple(not_counted), (), self._nearest() if absent else (), None, last)

    def rows_of(self, is_it: Callable[[sqlite3.Row], bool]) -> tuple[Row, ...]:
        """The rows of that day's list for which a condition holds."""
        return tuple(_row(row) for row in self._all_rows(self.day["id"]) if is_it(row))

    def _order(self) -> dict[int, int]:
        query = "select id from publication where list = ? and verdict = 'accepted' order by published_on, id"
        return {row[0]: place for place, row in enumerate(self._connection.execute(query, (self.asked.list,)))}

    def _publication(self, ident: int) -> sqlite3.Row:
        row: sqlite3.Row = self._connection.execute(f"{PUBLICATION} where p.id = ?", (ident,)).fetchone()
        return row

    def _all_rows(self, publication: int) -> list[sqlite3.Row]:
        if publication not in self._rows:
            self._rows[publication] = self._connection.execute(ROWS, (publication,)).fetchall()
        return self._rows[publication]

    def _shown(self, row: sqlite3.Row) -> Shown:
        sightings = self._connection.execute(SIGHTINGS, (row["id"],))
        left_out = self._connection.execute(LEFT_OUT, (row["id"],))
        return Shown(
            self.asked.list,
            row["published_on"],
            row["dated_by"],
            row["file_name"],
            row["sha256"],
            row["bytes"],
            row["modified_at"],
            row["first_seen_at"],
            row["last_seen_at"],
            row["known_at"],
            row["rows"],
            tuple(_seen(one, row["modified_at"]) for one in sightings),
            tuple(_row(one) for one in self._all_rows(row["id"]) if self._is_it(one)),
            tuple(LeftOut(*one) for one in left_out),
            self._maybe,
        )

    def _nearest(self) -> tuple[Row, ...]:
        """The rows with the likeliest names in the state, and those elsewhere that have it: states are misprinted."""
        state, sought = self.asked.state, Sought(self.asked.name or "", self.asked.state)
        scored = [(sought.likeness(row["agency"] or "", row["state"]), row) for row in self._all_rows(self.day["id"])]
        scored.sort(key=lambda one: (-one[0], one[1]["row"]))
        here = [one for one in scored if state in (None, one[1]["state"])][:NEAREST]
        there = [
            one
            for one in scored
            if state not in (None, one[1]["state"])
            and any(sought.has_words(spelling, one[1]["state"]) for spelling in spellings_of(one[1]))
        ]
        return tuple(replace(_row(row), likeness=score) for score, row in (*here, *there[:NEAREST]))


def _seen(row: sqlite3.Row, modified_at: str | None) -> Seen:
    """A sighting; one without an address was taken in, and one at the file's own time is nobody's."""
    kept = Origin.FILE if row["seen_at"] == modified_at else Origin.COLLECTION
    origin = Origin.FETCHED if row["url"] else kept
    return Seen(row["file_name"], row["url"] or None, row["seen_at"], row["last_seen_at"], row["recorded_at"], origin)


def _row(row: sqlite3.Row) -> Row:
    cells = dict(zip(_CELLS, json.loads(row["cells"]), strict=False))
    agency = row["agency"] or cells["LAW ENFORCEMENT AGENCY"]
    return Row(row["row"], row["agreement_id"], bool(row["duplicate"]), row["state"], agency, cells)
