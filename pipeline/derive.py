"""The archive and the sightings -> the history: the shell around `tracking.history`.

The history is a function of the sightings in their order, the raw files, the corrections, the operator's verdicts and
the code. New sightings that come after all known ones continue it, a transaction each; older ones make it anew, in one
transaction, and the agreements keep the ids under which they were known.
"""

import gc
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from db import publications, read, write
from db.archive import Archive
from db.connect import in_memory, transaction
from db.read import Decided, SightingRow
from db.records import Agreement, ListName, Publication, Step, Verdict
from pipeline.annotating import annotate
from pipeline.dating import SLACK, name_time, published_on
from pipeline.reading.normalize import Reading, interpret
from pipeline.reading.workbook import Sheet, Unreadable
from pipeline.reading.workbook import read as read_workbook
from pipeline.reading_ahead import sheets
from pipeline.tracking.checks import Totals
from pipeline.tracking.corrections import Corrections
from pipeline.tracking.history import advance, undone
from pipeline.tracking.ledger import Held, InForce, Ledger
from pipeline.tracking.policy import Policy

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the history depends on beside the files."""

    policy: Policy = field(default_factory=Policy)
    corrections: Corrections = field(default_factory=Corrections)
    link_hosts: tuple[str, ...] = ("ice.gov",)


@dataclass(frozen=True, slots=True)
class Derived:
    """What a derivation did: the steps of publications that were not known (of all, in a rebuild), the raw files that
    cannot be read, whether the whole history was made anew, and how many events that were told no longer stand.
    """

    steps: tuple[Step, ...]
    unreadable: tuple[tuple[str, Unreadable], ...] = ()
    anew: bool = False
    taken_back: int = 0


_UNDECIDED = "the list that showed it is in doubt, and nothing has been decided about it"


class Outbox(Protocol):
    """Who is to hear of what was found; called within the transaction that writes it."""

    def note(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
        """New publications have been decided."""
        ...

    def take_back(self, connection: sqlite3.Connection, why: str | None = None) -> int:
        """The history was made anew: what was told may no longer stand; returns how many events do not."""
        ...


class _Nobody:
    def note(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
        pass

    def take_back(self, connection: sqlite3.Connection, why: str | None = None) -> int:  # noqa: ARG002
        return 0


class Historian:
    """Continues a history, or makes it anew.

    `connection` is writable; `hook` is called after every commit (tests kill the process there); `outbox` hears of what
    was found, in the transaction that writes it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        archive: Archive,
        rules: Rules,
        progress: Progress = lambda _done, _all: None,
        hook: Callable[[], None] = lambda: None,
        outbox: Outbox | None = None,
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._outbox = outbox or _Nobody()
        self._rules = rules
        self._progress = progress
        self._hook = hook
        self._readings: dict[str, Reading] = {}

    def describe(self) -> None:
        """Read the raw files that have not been read yet, for their lists and dates.

        Meant for the few that a check brings; their readings are kept until `derive`.
        """
        with _quiet_collector(), transaction(self._connection):
            for sha256 in read.undescribed(self._connection):
                try:
                    self._readings[sha256] = self._describe(sha256, read_workbook(self._archive.get(sha256)))
                except Unreadable as error:
                    write.describe_workbook(self._connection, sha256, None, None, (error.reason, str(error)))
        self._hook()

    def _describe(self, sha256: str, sheet: Sheet) -> Reading:
        reading = interpret(sheet, self._rules.link_hosts)
        write.describe_workbook(self._connection, sha256, reading.list, reading.modified)
        return reading

    def derive(self) -> Derived:
        """Take in the sightings that belong to no publication yet."""
        fresh = sorted(read.sightings(self._connection, unassigned_only=True), key=_order)
        if not fresh:
            self._finish_annotating()
            return Derived(())
        known = [s for s in read.sightings(self._connection) if s.publication_id is not None]
        if known and _order(fresh[0]) < max(map(_order, known)):
            told = {stored.publication for stored in read.publications(self._connection)}
            return self._rebuild(lambda step: step.publication not in told)
        if not known:
            with transaction(self._connection):
                self._note_corrections(tried=False)
        with _quiet_collector():
            fold = _Fold(self, self._ledger(), self._latest(), self._ahead(fresh))
            steps = []
            for done, sighting in enumerate(fresh):
                with transaction(self._connection):
                    taken = fold.take(sighting)
                    if sighting is fresh[-1]:
                        annotate(self._connection)
                    self._outbox.note(self._connection, taken)
                steps += taken
                self._hook()
                self._progress(done + 1, len(fresh))
        return Derived(tuple(steps), tuple(fold.unreadable))

    def _finish_annotating(self) -> None:
        """A run that was interrupted, or an older program, has left agreements without an agency."""
        if not read.is_annotated(self._connection):
            with transaction(self._connection):
                annotate(self._connection)

    def rebuild(self) -> Derived:
        """Make the whole history anew, in one transaction; agreements keep the ids they had."""
        with transaction(self._connection):
            derived = self._anew()
            number = self._outbox.take_back(self._connection)
        self._hook()
        return replace(derived, taken_back=number)

    def _rebuild(self, is_new: Callable[[Step], bool]) -> Derived:
        """Make it anew because of sightings that were not known; returns the steps of new publications."""
        with transaction(self._connection):
            derived = self._anew()
            steps = tuple(filter(is_new, derived.steps))
            self._outbox.note(self._connection, steps)
            number = self._outbox.take_back(self._connection)
        self._hook()
        return replace(derived, steps=steps, taken_back=number)

    def _anew(self) -> Derived:
        steps = []
        with _quiet_collector():
            ids = read.first_listings(self._connection)
            publications.remember_listings(self._connection)
            publications.clear_derived(self._connection)
            everything = sorted(read.sightings(self._connection), key=_order)
            self._readings.clear()
            fold = _Fold(self, Ledger(), {}, self._ahead(everything))
            for done, sighting in enumerate(everything):
                steps += fold.take(sighting)
                self._progress(done + 1, len(everything))
            self._keep_ids(ids)
            annotate(self._connection)
            self._note_corrections(tried=True)
        return Derived(tuple(steps), tuple(fold.unreadable), anew=True)

    def _ahead(self, sightings: Iterable[SightingRow]) -> Iterator[tuple[str, Sheet | Unreadable]]:
        """The sheets of the workbooks that no reading is kept of, each once, in the order of their first sighting."""
        needed = dict.fromkeys(s.workbook for s in sightings if s.workbook not in self._readings)
        return sheets(self._archive, list(needed))

    def _note_corrections(self, *, tried: bool) -> None:
        """Note which corrections the history is made with and, once tried on all of it, which matched nothing."""
        corrections = self._rules.corrections
        unused = [correction.title for correction in corrections.unused()] if tried else []
        write.set_setting(self._connection, "corrections", fingerprint(corrections))
        write.set_setting(self._connection, "unused_corrections", write.packed(unused))

    def _keep_ids(self, known: dict[tuple[str, str, int], str]) -> None:
        """Give each agreement the id of the earliest known one whose first listing is now among its listings."""
        wanted: dict[str, str] = {}
        lost = []
        for (list_name, workbook, row), old in known.items():
            now = read.holder(self._connection, list_name, workbook, row)
            if now is None:
                lost.append(old)
            elif now not in wanted:
                wanted[now] = old
        for old in lost:
            now = next((n for n in read.holders_of_remembered(self._connection, old) if n not in wanted), None)
            if now is not None:
                wanted[now] = old
        moves = {now: old for now, old in wanted.items() if now != old}
        for n, now in enumerate(moves):
            publications.rename_agreement(self._connection, now, f"moving-{n}")
        taken = {row[0] for row in self._connection.execute("select public_id from agreement")}
        for n, old in enumerate(moves.values()):
            if old in taken:
                publications.rename_agreement(self._connection, old, f"{old}-2")
            publications.rename_agreement(self._connection, f"moving-{n}", old)

    def decide(self, held: Publication, verdict: Verdict, reason: str, now: datetime) -> list[Step]:
        """Carry out an operator's verdict on the publication that is held, in one transaction."""
        if read.decided_since(self._connection, held):
            with transaction(self._connection):
                write.add_operator_verdict(self._connection, held, verdict, reason, now)
                derived = self._anew()
                steps = [step for step in derived.steps if step.publication == held and step.verdict is verdict]
                self._outbox.note(self._connection, steps)
                self._outbox.take_back(self._connection)
            self._hook()
            return steps
        reading = self.reading(held.workbook)
        ledger = self._ledger()
        with transaction(self._connection):
            write.add_operator_verdict(self._connection, held, verdict, reason, now)
            _, steps = advance(ledger, held, reading, self._rules.policy, self._rules.corrections, verdict, reason)
            ids = publications.Ids(self._connection)
            for step in steps:
                publications.write_step(self._connection, step, ids, now)
            annotate(self._connection)
            self._outbox.note(self._connection, steps)
        self._hook()
        return steps

    def undo(self, decided: Decided) -> Derived:
        """Take an operator's verdict back and make the history anew without it, in one transaction."""
        with transaction(self._connection):
            write.remove_operator_verdict(self._connection, decided.id)
            derived = self._anew()
            number = self._outbox.take_back(self._connection, _UNDECIDED)
        self._hook()
        return replace(derived, taken_back=number)

    def reading(self, workbook: str) -> Reading:
        """What a raw file says."""
        kept = self._readings.pop(workbook, None)
        return (
            kept if kept is not None else interpret(read_workbook(self._archive.get(workbook)), self._rules.link_hosts)
        )

    def _ledger(self) -> Ledger:
        """The ledger as the database has it; the rows in force are read again from the archive."""
        agreements: dict[ListName, dict[str, Agreement]] = {name: {} for name in ListName}
        for agreement in read.agreements(self._connection):
            agreements[agreement.list][agreement.id] = agreement
        in_force, held, accepted = {}, {}, {}
        for name in ListName:
            stored = read.publications(self._connection, name)
            accepted[name] = frozenset(s.publication.workbook for s in stored if s.verdict is Verdict.ACCEPTED)
            if (held_one := read.latest_publication(self._connection, name, Verdict.HELD)) is not None:
                waiting = held_one.publication
                reading = self._rules.corrections.fix(waiting, self.reading(waiting.workbook))
                held[name] = Held(waiting, reading)
            if (current := read.latest_publication(self._connection, name, Verdict.ACCEPTED)) is not None:
                in_force[name] = self._in_force(current)
        return Ledger(agreements, in_force, held, accepted)

    def _in_force(self, stored: read.StoredPublication) -> InForce:
        placed = read.placements(self._connection, stored.id)
        reading = self._rules.corrections.fix(stored.publication, self.reading(stored.publication.workbook))
        rows: dict[str, list[tuple[bool, int]]] = {}
        listings = {listing.row: listing for listing in reading.listings}
        for row, (agreement, duplicate) in placed.items():
            rows.setdefault(agreement, []).append((duplicate, row))
        return InForce(
            stored.publication,
            stored.columns,
            {agreement: tuple(listings[row] for _, row in sorted(places)) for agreement, places in rows.items()},
        )

    def _latest(self) -> dict[ListName, tuple[Publication, int]]:
        """The last publication seen of each list, whatever became of it, with its id."""
        stored = {s.id: s.publication for s in read.publications(self._connection)}
        taken = sorted((s for s in read.sightings(self._connection) if s.publication_id is not None), key=_order)
        return {s.list: (stored[s.publication_id], s.publication_id) for s in taken if s.list and s.publication_id}


class _Fold:
    """Takes sightings one by one; `latest` is what each list last was, `ahead` gives sheets in that order."""

    def __init__(
        self,
        historian: Historian,
        ledger: Ledger,
        latest: dict[ListName, tuple[Publication, int]],
        ahead: Iterator[tuple[str, Sheet | Unreadable]],
    ) -> None:
        self._historian = historian
        self._connection = historian._connection  # noqa: SLF001 - two halves of one thing
        self._rules = historian._rules  # noqa: SLF001
        self._ledger = ledger
        self._latest = latest
        self._ahead = ahead
        self._next = next(ahead, None)
        self._ids = publications.Ids(self._connection)
        self._verdicts = read.operator_verdicts(self._connection)
        self._lists: dict[str, ListName] = {}
        self.unreadable: list[tuple[str, Unreadable]] = []

    def take(self, sighting: SightingRow) -> list[Step]:
        """Continue the history by one sighting; writes within the caller's transaction."""
        reading = self._read_first(sighting)
        name = self._lists.get(sighting.workbook, sighting.list)
        if name is None:
            return []
        if name in self._latest and self._latest[name][0].workbook == sighting.workbook:
            write.assign_sighting(self._connection, sighting.id, self._latest[name][1])
            return self._decided(sighting, self._latest[name][0])
        current = self._ledger.in_force.get(name)
        if current is not None and current.publication.workbook == sighting.workbook:
            publication = current.publication
            self._ledger, steps = undone(self._ledger, publication)
        else:
            publication = _publication(sighting, name, current.publication if current else None)
            steps = self._advance(publication, reading or self._historian.reading(sighting.workbook), sighting.totals)
        written = self._write(steps, sighting, publication)
        ident = written.get(publication) or publications.find_publication(self._connection, publication)
        if ident is None:
            raise ValueError(f"{publication.file_name} was decided but not written")
        write.assign_sighting(self._connection, sighting.id, ident)
        self._latest[name] = (publication, ident)
        return steps

    def _decided(self, sighting: SightingRow, publication: Publication) -> list[Step]:
        """An operator's verdict speaks of a sighting; an earlier one of the same workbook may have turned up since."""
        held = self._ledger.held.get(publication.list)
        key = (publication.list, publication.workbook, write.instant(sighting.seen_at))
        if held is None or held.publication != publication or key not in self._verdicts:
            return []
        reading = self._historian.reading(publication.workbook)
        verdict = self._verdicts[key]
        steps = self._advance(publication, reading, sighting.totals, verdict.verdict, verdict.reason)
        self._write(steps, sighting, publication)
        return steps

    def _write(self, steps: list[Step], sighting: SightingRow, publication: Publication) -> dict[Publication, int]:
        """Write what a sighting decided; it was known when the sighting was recorded, or when an operator decided."""
        decided = self._verdicts.get((publication.list, publication.workbook, write.instant(publication.seen_at)))
        known_at = max(sighting.recorded_at, decided.decided_at) if decided else sighting.recorded_at
        return {
            step.publication: publications.write_step(self._connection, step, self._ids, known_at) for step in steps
        }

    def _read_first(self, sighting: SightingRow) -> Reading | None:
        """What a workbook says if this is its first turn; None if it had one before, or cannot be read."""
        if self._next is None or self._next[0] != sighting.workbook:
            return None
        sheet = self._next[1]
        self._next = next(self._ahead, None)
        if isinstance(sheet, Sheet):
            self._lists[sighting.workbook] = sheet.list
            return self._historian._describe(sighting.workbook, sheet)  # noqa: SLF001
        self.unreadable.append((sighting.workbook, sheet))
        write.describe_workbook(self._connection, sighting.workbook, None, None, (sheet.reason, str(sheet)))
        return None

    def _advance(
        self,
        publication: Publication,
        reading: Reading,
        totals: int | None,
        operator: Verdict | None = None,
        why: str = "",
    ) -> list[Step]:
        if operator is None:
            key = (publication.list, publication.workbook, write.instant(publication.seen_at))
            decided = self._verdicts.get(key)
            operator, why = (decided.verdict, decided.reason) if decided else (None, "")
        rules = self._rules
        self._ledger, steps = advance(
            self._ledger, publication, reading, rules.policy, rules.corrections, operator, why, Totals(totals)
        )
        return steps


def _order(sighting: SightingRow) -> tuple[datetime, datetime, datetime, str]:
    """Order of publication: when seen, then when modified, then by the name's date and part of day, then by hash."""
    return (
        sighting.seen_at,
        sighting.modified or sighting.seen_at,
        name_time(sighting.file_name) or sighting.seen_at,
        sighting.workbook,
    )


def _publication(s: SightingRow, name: ListName, before: Publication | None) -> Publication:
    """A sighting as a publication, dated no earlier than the list in force: what is in force on a day is the last list
    up to that day, and must not be an older one since ICE's names are a day off.
    """
    on, clock = published_on(s.file_name, s.modified, s.last_modified, s.seen_at)
    if before is not None and on < before.published_on <= s.seen_at.date() + SLACK:
        on, clock = before.published_on, "list_before"
    believed = s.modified if s.modified and s.modified <= s.seen_at + timedelta(days=1) else None
    return Publication(name, s.workbook, s.file_name, s.seen_at, on, clock, believed)


def rehearse(connection: sqlite3.Connection, archive: Archive, rules: Rules, held: Publication) -> list[Step]:
    """What releasing the publication that is held would decide; tried on a copy in memory, so that nothing is kept."""
    with closing(in_memory(connection)) as copy:
        return Historian(copy, archive, rules).decide(held, Verdict.ACCEPTED, "a rehearsal", held.seen_at)


def fingerprint(corrections: Corrections) -> str:
    """A short hash of all corrections: a history made with others must be rebuilt."""
    return hashlib.sha256("\n".join(map(repr, corrections)).encode()).hexdigest()[:16]


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Without the cyclic collector, which would walk all rows of all lists again and again; nothing here is cyclic."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def seen_by_name(file_name: str, modified: datetime | None) -> datetime | None:
    """When a file without a record of its sighting was seen: the later of its name's time and its modification.

    A name whose date lies before the modification, or more than a week after it, is wrong: then the modification.
    """
    named = name_time(file_name)
    if named is None or modified is None:
        return named or modified
    if modified - timedelta(days=1) <= named <= modified + timedelta(days=7):
        return max(named, modified)
    return modified
