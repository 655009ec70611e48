"""That no row of a day's list, or of any list, may be an agency of some name."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from db.records import ListName
from pipeline.citing.days import Question
from pipeline.citing.queries import (
    AGENCIES_OF_LIST,
    CONSULTED,
    EVER_NAMED,
    LAST_SIGHTING,
    NOT_COUNTED,
    SEARCHED,
    SPELLINGS,
)
from pipeline.citing.sought import NEAREST, Sought
from pipeline.queries import NEWEST
from pipeline.reports.cited import Asked, Citation, Consulted, Near, Never, NotCounted, Searched


def cite_absence(
    connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName, on: date
) -> Citation:
    """Whether any row of the list of a day may be an agency; absent is only one that none may be.

    A row may be it if, in that state, it has every word of the name, or its name comes near enough (`bearers.may_be`);
    a row whose state cannot be read may be of any. A row of an agency that ever had such a name counts too.

    Raises:
        NothingKnown: the history has no such list for that day.
    """
    sought = Sought(name, state)
    named = {row["agency_id"] for row in connection.execute(SPELLINGS) if sought.may_be(row)} - {None}

    def may_be_it(row: sqlite3.Row) -> bool:
        return row["agency_id"] in named or sought.may_be(row)

    asked = Asked(on.isoformat(), list_name, name=name, state=state)
    question = Question(connection, asked, may_be_it, maybe=True)
    citation = question.answer([])
    searched = Searched(*connection.execute(SEARCHED, (list_name,)).fetchone())
    return replace(
        citation,
        elsewhere=_span(_ever_named(connection, list_name, sought.names)),
        alike=_alike(_ever_named(connection, list_name, sought.may_be), sought),
        searched=searched,
    )


def ever_named(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName) -> list[str]:
    """The ids of all agreements (or applications) that a list has ever had under a name, as `cite_absence` finds it."""
    sought = Sought(name, state)
    found = {row["agreement_id"]: None for row in _ever_named(connection, list_name, sought.may_be)}
    return list(found)


def cite_never(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName) -> Never:
    """That no list of the history has ever named an agency; ask `ever_named` first whether that is so.

    Raises:
        NothingKnown: the history has no such list.
    """
    sought = Sought(name, state)
    consulted = [
        Consulted(**{**row, "fetched": bool(row["fetched"])}) for row in map(dict, _all(connection, list_name))
    ]
    last = consulted[-1].published_on if consulted else date.max.isoformat()
    asked = Asked(last, list_name, name=name, state=state)
    question = Question(connection, asked, lambda _: False)
    period = {"list": list_name, "since": date.min.isoformat(), "on": date.max.isoformat()}
    other = next(kind for kind in ListName if kind is not list_name)
    return Never(
        list_name,
        name,
        state,
        tuple(consulted),
        question.answer([]).shown,
        tuple(NotCounted(*row) for row in connection.execute(NOT_COUNTED, period)),
        _nearest_agencies(connection, asked, last),
        _span(_ever_named(connection, other, sought.names)),
        connection.execute(LAST_SIGHTING, (list_name,)).fetchone()[0],
    )


def _all(connection: sqlite3.Connection, list_name: ListName) -> sqlite3.Cursor:
    return connection.execute(CONSULTED, (list_name,))


def _nearest_agencies(connection: sqlite3.Connection, asked: Asked, newest: str) -> tuple[Near, ...]:
    """The agencies with the likeliest names in the state, and those elsewhere that have it: states are misprinted."""
    sought = Sought(asked.name or "", asked.state)
    scored: list[tuple[Near, bool]] = []
    for row in connection.execute(AGENCIES_OF_LIST, {"list": asked.list, "newest": newest}):
        spellings = (row["name"], *json.loads(row["former_names"]))
        likeness = max(sought.likeness(one, row["state"]) for one in spellings)
        near = Near(row["public_id"], row["state"], row["name"], likeness, row["since"], row["until"])
        scored.append((near, any(sought.has_words(one, row["state"]) for one in spellings)))
    scored.sort(key=lambda one: (-one[0].likeness, one[0].agency_id))
    here = [near for near, _ in scored if asked.state in (None, near.state)][:NEAREST]
    there = [near for near, has_it in scored if asked.state not in (None, near.state) and has_it][:NEAREST]
    return (*here, *there)


def _ever_named(
    connection: sqlite3.Connection, list_name: ListName, is_it: Callable[[sqlite3.Row], bool]
) -> list[sqlite3.Row]:
    """The terms under which a list has ever named an agency, each with its dates."""
    versions = [row["id"] for row in connection.execute(SPELLINGS) if is_it(row)]
    newest = connection.execute(NEWEST, (list_name,)).fetchone()[0]
    found = {"list": list_name, "versions": json.dumps(versions), "newest": newest}
    return connection.execute(EVER_NAMED, found).fetchall()


def _span(named: Sequence[sqlite3.Row]) -> tuple[str, str] | None:
    """The dates of the first list and of the last that some terms stand on, or None: no list has them."""
    return (min(row["since"] for row in named), max(row["until"] for row in named)) if named else None


def _alike(named: Sequence[sqlite3.Row], sought: Sought) -> tuple[Near, ...]:
    """The names that may mean the agency and lack a word of the name, the likeliest first, each with its dates."""
    found: dict[tuple[str | None, str], list[sqlite3.Row]] = {}
    for row in named:
        if not sought.names(row):
            found.setdefault((row["state"], row["agency"]), []).append(row)
    near = [
        Near(some[0]["agency_id"] or "", state, name, sought.likeness(name, state), *(_span(some) or ("", "")))
        for (state, name), some in found.items()
    ]
    return tuple(sorted(near, key=lambda one: (-one.likeness, one.since, one.agency))[:NEAREST])
