"""What `explain` asks of the history: why an event was told, or why rows were taken for one agreement."""

import json
import sqlite3
from collections.abc import Mapping

from pipeline.queries import EVENT_COLUMNS, logged_event, source_of, timeline, with_what_is_left
from pipeline.reports.record import Comparison, ExplainedAgreement, ExplainedEvent, Judgement, PrintedRow

EVENT_IDS = "select public_id from event where public_id between ? and ? order by public_id limit 6"
AGREEMENT_IDS = "select public_id from agreement where public_id between ? and ? order by public_id limit 6"

EVENT = f"select {EVENT_COLUMNS} from event_log where event_id = ?"  # noqa: S608

EVENT_PLACE = """
select agreement_id, publication_id, row, previous_publication_id, previous_row from event where public_id = ?
"""

PREVIOUS_PLACE = """
select previous_publication_id, previous_row from event
where agreement_id = :agreement and publication_id = :publication and previous_row is not null
"""

DECISIONS = """
select publication_id, agreement_id, row, rule, score, evidence, review from decision
where agreement_id = ? order by publication_id, id
"""

DECISION_BEHIND = """
select publication_id, agreement_id, row, rule, score, evidence, review from decision
where agreement_id = ? and publication_id = ? and row is ? order by id
"""

PLACE_BEFORE = """
select l.publication_id, l.row
from agreement a, placement l
where a.id = coalesce((select id from agreement where public_id = :nearest), :agreement)
  and l.agreement_id = a.id and l.duplicate = 0 and l.publication_id = (
    select max(q.id) from publication q
    where q.verdict = 'accepted' and q.list = a.list and q.id < (
        select min(coalesce(to_publication_id, :publication), :publication) from version
        where agreement_id = a.id and from_publication_id < :publication
        order by from_publication_id desc limit 1))
"""
"""Where an agreement stood last before a publication: its row in the last accepted list that had it."""

PRINTED = """
select p.list, p.published_on, p.file_name, w.sha256, l.row, c.cells
from placement l
join printed c on c.id = l.printed_id
join publication p on p.id = l.publication_id
join workbook w on w.id = p.workbook_id
where l.publication_id = ? and l.row = ?
"""

SOURCE = """
select p.list, p.published_on, p.file_name, w.sha256
from publication p join workbook w on w.id = p.workbook_id
where p.id = ?
"""

TIMES_LISTED = """
select count(*)
from version v
join agreement a on a.id = v.agreement_id
join publication p on p.list = a.list and p.verdict = 'accepted' and p.id >= v.from_publication_id
                  and (v.to_publication_id is null or p.id < v.to_publication_id)
where a.public_id = ?
"""


def ids_beginning(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """The first few ids of agreements and events that begin with a text; the text itself alone if it is one."""
    bounds = (beginning, beginning + "\U0010ffff")
    found = [row[0] for query in (AGREEMENT_IDS, EVENT_IDS) for row in connection.execute(query, bounds)]
    return [beginning] if beginning in found else found


def explained_event(connection: sqlite3.Connection, event_id: str) -> ExplainedEvent:
    """An event with the rows before and after it, and the decision behind it.

    Raises:
        LookupError: there is no such event.
    """
    place = connection.execute(EVENT_PLACE, (event_id,)).fetchone()
    if place is None:
        raise LookupError(event_id)
    (event,) = with_what_is_left(connection, [logged_event(connection.execute(EVENT, (event_id,)).fetchone())])
    if (decision := connection.execute(DECISION_BEHIND, tuple(place)[:3]).fetchone()) is not None:
        return ExplainedEvent(event, _comparison(connection, decision))
    before = _printed(connection, place["previous_publication_id"], place["previous_row"])
    after = _printed(connection, place["publication_id"], place["row"])
    source = source_of(connection.execute(SOURCE, (place["publication_id"],)).fetchone())
    return ExplainedEvent(event, Comparison(source, before, after, None))


def explained_agreement(connection: sqlite3.Connection, agreement_id: str) -> ExplainedAgreement:
    """An agreement with every decision by which a row was taken for it, or was nearly.

    Raises:
        LookupError: there is no such agreement.
    """
    told = timeline(connection, agreement_id)
    times = connection.execute(TIMES_LISTED, (agreement_id,)).fetchone()[0]
    ident = connection.execute("select id from agreement where public_id = ?", (agreement_id,)).fetchone()[0]
    decisions = connection.execute(DECISIONS, (ident,)).fetchall()
    return ExplainedAgreement(told, times, tuple(_comparison(connection, decision) for decision in decisions))


def _comparison(connection: sqlite3.Connection, decision: sqlite3.Row) -> Comparison:
    evidence = json.loads(decision["evidence"])
    judgement = Judgement(decision["rule"], decision["score"], evidence, bool(decision["review"]))
    source = source_of(connection.execute(SOURCE, (decision["publication_id"],)).fetchone())
    after = _printed(connection, decision["publication_id"], _row_after(decision, evidence))
    return Comparison(source, _before(connection, decision, evidence), after, judgement)


def _row_after(decision: sqlite3.Row, evidence: Mapping[str, str]) -> int | None:
    """The row that was decided about; for an agreement that ended, the row that came nearest to it."""
    if decision["row"] is not None:
        return int(decision["row"])
    nearest = evidence.get("nearest", "").removeprefix("row ")
    return int(nearest) if nearest.isdecimal() else None


def _before(connection: sqlite3.Connection, decision: sqlite3.Row, evidence: Mapping[str, str]) -> PrintedRow | None:
    """The row with which it was compared: the repeated one, the nearest one, or where the agreement stood before."""
    if (repeated := evidence.get("of row", "")).isdecimal():
        return _printed(connection, decision["publication_id"], int(repeated))
    asked = {"agreement": decision["agreement_id"], "publication": decision["publication_id"]}
    if decision["rule"] == "renewed":
        place = connection.execute(PREVIOUS_PLACE, asked).fetchone()
    else:
        nearest = evidence.get("nearest") if decision["rule"] == "opened" else None
        place = connection.execute(PLACE_BEFORE, {**asked, "nearest": nearest}).fetchone()
    return _printed(connection, *place) if place else None


def _printed(connection: sqlite3.Connection, publication: int | None, row: int | None) -> PrintedRow | None:
    found = connection.execute(PRINTED, (publication, row)).fetchone()
    if found is None:
        return None
    cells = dict(zip(_CELLS, json.loads(found["cells"]), strict=False))
    return PrintedRow(source_of(found), found["row"], cells)


_CELLS = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
"""The printed cells that may be shown; the link targets behind them can name people."""
