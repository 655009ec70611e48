"""The agencies of a history and where they are: what follows from its agreements and the project's own tables.

Called in the transaction of what changed them. It is a function of the agreements and of the rules, so that it can be
done again at any time; only what differs is written.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from importlib import resources

from db import read, write
from pipeline.reading import gazetteer
from pipeline.reading.places import state_name, states
from pipeline.tracking.agencies import Agency, Member, group

_PLACES = "places"
_RULES = ("gazetteer.py", "places.py", "states.csv", "counties.csv", "cities.csv")

_MEMBERS = """
select a.id, a.signed_as, v.state, v.agency, v.agency_type, v.county, v.county_fips, v.county_basis
from agreement a
join version v on v.agreement_id = a.id
order by a.first_publication_id, a.first_row, a.id, v.id
"""


def annotate(connection: sqlite3.Connection) -> None:
    """Say for each agreement which agency it is of, and for each of its values in which county."""
    _set_places(connection)
    _locate(connection)
    _group(connection)
    newest = connection.execute("select coalesce(max(id), 0) from publication").fetchone()[0]
    write.set_setting(connection, read.ANNOTATED, str(newest))


def _set_places(connection: sqlite3.Connection) -> None:
    """States, counties and the rules that find them, where they are not those that the history was made with."""
    edition = _edition()
    if read.setting(connection, _PLACES) == edition:
        return
    connection.executemany(
        "insert into state values (?, ?, ?, ?, ?, ?) on conflict (postal) do update set fips = excluded.fips,"
        " kind = excluded.kind, name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude",
        [(s.postal, s.fips, s.kind, s.name, *gazetteer.centre(s.postal)) for s in states().values()],
    )
    connection.executemany(
        "insert into county values (?, ?, ?, ?, ?) on conflict (fips) do update set state = excluded.state,"
        " name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude",
        [(c.fips, c.state, c.name, c.latitude, c.longitude) for c in gazetteer.counties().values()],
    )
    connection.execute("update version set county_fips = null, county_basis = null where county_basis is not null")
    write.set_setting(connection, _PLACES, edition)


def _edition() -> str:
    digest = hashlib.blake2b(digest_size=8)
    folder = resources.files("pipeline.reading")
    for name in _RULES:
        digest.update(folder.joinpath(name).read_bytes())
    return digest.hexdigest()


def _locate(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "select id, state, county, agency, agency_type from version where county_basis is null"
    ).fetchall()
    places = ((gazetteer.locate(*tuple(row)[1:]), row["id"]) for row in rows)
    connection.executemany(
        "update version set county_fips = ?, county_basis = ? where id = ?",
        [(place.county_fips, place.basis, ident) for place, ident in places],
    )


def _group(connection: sqlite3.Connection) -> None:
    spellings: dict[int, list[tuple[str | None, str]]] = {}
    latest: dict[int, sqlite3.Row] = {}
    for row in connection.execute(_MEMBERS):
        spellings.setdefault(row["id"], []).append((row["state"], row["agency"]))
        latest[row["id"]] = row
    agencies = group(Member(key, tuple(own), latest[key]["signed_as"]) for key, own in spellings.items())
    ids = _write_agencies(connection, dict(_described(agencies, latest)))
    wanted = {key: ids[agency.id] for agency in agencies for key in agency.members}
    known = dict(connection.execute("select id, agency_id from agreement"))
    connection.executemany(
        "update agreement set agency_id = ? where id = ?",
        [(agency, key) for key, agency in wanted.items() if known[key] != agency],
    )
    for ident in [ident for public, ident in _known(connection).items() if public not in ids]:
        connection.execute("delete from agency_search where rowid = ?", (ident,))
        connection.execute("delete from agency where id = ?", (ident,))


_Columns = tuple[str | None, ...]


def _described(agencies: list[Agency], latest: dict[int, sqlite3.Row]) -> Iterator[tuple[str, _Columns]]:
    """The columns of each agency by its id; what its newest member does not say is taken from the one before."""
    for agency in agencies:
        order = [latest[agency.newest], *(latest[key] for key in reversed(agency.members))]
        placed = next((row for row in order if row["county_fips"]), order[0])
        kind = next((row["agency_type"] for row in order if row["agency_type"]), None)
        county = placed["county"] or next((row["county"] for row in order if row["county"]), None)
        former = json.dumps(agency.former_names, ensure_ascii=False)
        yield (
            agency.id,
            (agency.state, agency.name, former, kind, county, placed["county_fips"], placed["county_basis"]),
        )


def _known(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("select public_id, id from agency"))


def _write_agencies(connection: sqlite3.Connection, wanted: dict[str, _Columns]) -> dict[str, int]:
    """Write what differs; returns the internal id of each agency."""
    names = "state, name, former_names, agency_type, county, county_fips, county_basis"
    known = {row["public_id"]: row for row in connection.execute(f"select public_id, id, {names} from agency")}  # noqa: S608
    ids = {public: int(row["id"]) for public, row in known.items() if public in wanted}
    for public, columns in wanted.items():
        if public in known and tuple(known[public])[2:] == columns:
            continue
        row = connection.execute(
            f"insert into agency (public_id, {names}) values (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " on conflict (public_id) do update set (state, name, former_names, agency_type, county, county_fips,"
            " county_basis) = (excluded.state, excluded.name, excluded.former_names, excluded.agency_type,"
            " excluded.county, excluded.county_fips, excluded.county_basis) returning id",
            (public, *columns),
        ).fetchone()
        ids[public] = int(row[0])
        state, name, former, _, county, fips, _ = columns
        located = gazetteer.counties()[fips].name if fips else ""
        connection.execute("delete from agency_search where rowid = ?", (ids[public],))
        connection.execute(
            "insert into agency_search (rowid, name, former_names, county, state) values (?, ?, ?, ?, ?)",
            (
                ids[public],
                name,
                " | ".join(json.loads(former or "[]")),
                " | ".join(dict.fromkeys(filter(None, (located, county)))),
                state_name(state),
            ),
        )
    return ids
