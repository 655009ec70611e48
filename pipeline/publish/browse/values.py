"""Values for the parameters of the recipes, from the history that is served: what a reader sees first has rows."""

import sqlite3

from pipeline.publish.browse.recipes import Recipe, recipes

_NEWEST = "from publication_log where list = 'participating' and verdict = 'accepted'"

_VALUES = {
    "state": "select state from current_agreements group by state order by count(*) desc, state",
    "day": f"select max(published_on) {_NEWEST}",
    "known": f"select max(known_at) {_NEWEST}",
    "year": f"select substr(max(published_on), 1, 4) {_NEWEST}",
    "since": f"select substr(max(published_on), 1, 4) || '-01-01' {_NEWEST}",
    "month": "select substr(max(published_on), 1, 7) from event_log where kind = 'new' and status = 'confirmed'",
    "agreement_id": "select agreement_id from current_agreements order by first_listed_on desc, agreement_id",
    "agency_id": "select agency_id from event_log where list = 'participating'"
    " group by agency_id order by count(*) desc, agency_id",
    "workbook_name": f"select file_name {_NEWEST} order by published_on desc, sequence desc",
    "words": "select 'sheriff ' || lower(s.name) from current_agreements a join state s on s.postal = a.state"
    " group by s.postal order by count(*) desc, s.postal",
    "limit": "select 20",
}
"""Parameter -> SQL whose first value it takes."""

_OF_ONE = {
    (
        "counties-without",
        "state",
    ): "select c.state from county c left join current_agreements a on a.county_fips = c.fips"
    " where c.state in (select state from current_agreements)"
    " group by c.state having sum(a.county_fips is null) > 0 order by count(a.county_fips) desc, c.state",
}
"""(Recipe, parameter) -> the same, where the recipe needs another value."""


def values(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Recipe -> parameter -> value; the recipe's own example where the history gives none."""
    return {recipe.name: _values(connection, recipe) for recipe in recipes() if recipe.parameters}


def _values(connection: sqlite3.Connection, recipe: Recipe) -> dict[str, str]:
    return {name: _value(connection, recipe.name, name) or example for name, example in recipe.parameters.items()}


def _value(connection: sqlite3.Connection, recipe: str, name: str) -> str | None:
    sql = _OF_ONE.get((recipe, name), _VALUES.get(name))
    row = connection.execute(sql).fetchone() if sql else None
    return None if row is None or row[0] is None else str(row[0])
