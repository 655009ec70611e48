"""An operator's verdicts, as data with a reason: what the rules cannot know.

A correction names rows by their values (compared without regard to typography) or by workbook and row, never by
position in a list of ours, so that it survives a rebuild.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from db.records import Listing, ListName, Publication, Values
from pipeline.reading.normalize import Reading
from pipeline.reading.places import fold


class Action(StrEnum):
    """What a correction does."""

    SAME = "same"
    DISTINCT = "distinct"
    IGNORE = "ignore"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which rows are meant; a field that is None matches anything. `workbook` is a SHA-256 or its beginning."""

    state: str | None = None
    agency: str | None = None
    support_model: str | None = None
    signed_on: date | None = None
    workbook: str | None = None
    row: int | None = None

    def matches(self, values: Values, workbook: str = "", row: int | None = None) -> bool:
        """Whether a row with these values at this place is meant."""
        return (
            (self.state is None or self.state == values.state)
            and (self.agency is None or fold(self.agency) == fold(values.agency))
            and (self.support_model is None or self.support_model == values.support_model)
            and (self.signed_on is None or self.signed_on == values.signed_on)
            and (self.workbook is None or workbook.startswith(self.workbook))
            and (self.row is None or self.row == row)
        )


@dataclass(frozen=True, slots=True)
class Correction:
    """One verdict. `until` is the last date of publication that it speaks of (ICE has fixed it since).

    `same` and `distinct` speak of `before` (a row of the list before) and `after` (a row of the new list); `ignore` of
    a workbook; `fix` sets `value` (already parsed) in `field` of the rows that `after` means.
    """

    action: Action
    why: str
    before: Selector = Selector()
    after: Selector = Selector()
    field: str = ""
    value: str | date | None = None
    list: ListName | None = None
    until: date | None = None

    @property
    def title(self) -> str:
        """The correction in one line, by which it is counted and reported."""
        ends = [f"{s.agency or s.workbook or ''} {s.state or ''}".strip() for s in (self.before, self.after)]
        return f"{self.action}: {' / '.join(end for end in ends if end)} ({self.why})"


class Corrections:
    """All corrections, and which of them have matched something since this object was made."""

    def __init__(self, corrections: Sequence[Correction] = ()) -> None:
        self._all = tuple(corrections)
        self.used: set[int] = set()

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._all)

    def __bool__(self) -> bool:
        return bool(self._all)

    def unused(self) -> list[Correction]:
        """The corrections that have matched nothing."""
        return [c for i, c in enumerate(self._all) if i not in self.used]

    def _in_force(self, action: Action, publication: Publication) -> list[tuple[int, Correction]]:
        return [
            (i, c)
            for i, c in enumerate(self._all)
            if c.action is action
            and (c.list is None or c.list is publication.list)
            and (c.until is None or publication.published_on <= c.until)
        ]

    def ignored(self, publication: Publication) -> str | None:
        """The reason why a publication is to be ignored, or None."""
        for i, c in self._in_force(Action.IGNORE, publication):
            if c.after.workbook and publication.workbook.startswith(c.after.workbook):
                self.used.add(i)
                return c.why
        return None

    def fix(self, publication: Publication, reading: Reading) -> Reading:
        """The reading with the values that an operator has fixed; the printed cells stay."""
        fixes = self._in_force(Action.FIX, publication)
        return (
            replace(reading, listings=tuple(self._fixed(x, publication, fixes) for x in reading.listings))
            if fixes
            else reading
        )

    def _fixed(self, listing: Listing, publication: Publication, fixes: list[tuple[int, Correction]]) -> Listing:
        for i, c in fixes:
            if c.after.matches(listing.values, publication.workbook, listing.row):
                self.used.add(i)
                values = replace(listing.values, **{c.field: c.value})  # type: ignore[arg-type]  # checked by config
                listing = listing._replace(values=values)
        return listing

    def verdict(
        self, publication: Publication, before: Values, before_at: tuple[str, int], listing: Listing
    ) -> bool | None:
        """Whether an operator says that two rows are the same agreement (True), distinct (False) or nothing (None).

        `before_at` is the workbook and row of the row before.
        """
        for action, verdict in ((Action.DISTINCT, False), (Action.SAME, True)):
            for i, c in self._in_force(action, publication):
                if c.before.matches(before, *before_at) and c.after.matches(
                    listing.values, publication.workbook, listing.row
                ):
                    self.used.add(i)
                    return verdict
        return None
