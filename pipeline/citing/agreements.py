"""Whether an agreement, or each of several, was listed on a day."""

import sqlite3
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date

from db.records import ListName
from pipeline.citing.days import Question
from pipeline.citing.queries import AGREEMENT, EVENTS, TERMS, WITH
from pipeline.citing.sought import Sought, spellings_of
from pipeline.queries import logged_event, with_what_is_left
from pipeline.reports.cited import Asked, Citation, Several
from pipeline.reports.record import Terms


def cite_agreement(connection: sqlite3.Connection, agreement_id: str, on: date) -> Citation:
    """Whether an agreement (or application) was listed at the end of a day, with what shows it.

    Raises:
        LookupError: there is no such agreement.
        NothingKnown: the history has no list of its kind for that day.
    """
    found = connection.execute(AGREEMENT, (agreement_id,)).fetchone()
    if found is None:
        raise LookupError(agreement_id)
    asked = Asked(on.isoformat(), ListName(found["list"]), found["public_id"], found["agency"])
    question = Question(connection, asked, lambda row: row["agreement_id"] == agreement_id)
    terms = connection.execute(TERMS, {"agreement": found["id"], "publication": question.day["id"]}).fetchone()
    told = Terms(**{column.name: terms[column.name] for column in fields(Terms)})
    question.asked = replace(asked, terms=told, name=told.agency, state=told.state)
    times = connection.execute(WITH, (found["id"], found["list"])).fetchall()
    events = connection.execute(EVENTS, {"agreement": found["id"], "agency": found["agency_id"]}).fetchall()
    citation = question.answer([row["id"] for row in times])
    sought = Sought(told.agency, told.state)

    def names_it_too(row: sqlite3.Row) -> bool:
        if row["agreement_id"] == agreement_id:
            return False
        own = found["agency_id"] is not None and row["agency_id"] == found["agency_id"]
        return own or any(sought.is_name(one, row["state"]) for one in spellings_of(row))

    namesakes = question.rows_of(names_it_too)
    logged = tuple(with_what_is_left(connection, [logged_event(event) for event in events]))
    return replace(citation, events=logged, namesakes=namesakes)


def cite_several(
    connection: sqlite3.Connection, agreement_ids: Sequence[str], on: date, name: str | None = None
) -> Several:
    """The citations of the agreements of one agency on one list, or of several agencies that share a `name`.

    Raises:
        LookupError: there is no such agreement.
        NothingKnown: the history has no list of their kind for that day.
    """
    every = [cite_agreement(connection, ident, on) for ident in agreement_ids]
    shared = name if len({one.asked.agency_id for one in every}) > 1 else None
    return Several(tuple(sorted(every, key=lambda one: not one.shown.rows)), shared)
