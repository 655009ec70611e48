"""The schema, a function a step. A step that has been released is never edited: add another."""

import json
import sqlite3
from importlib import resources

from sqlite_utils import Database, Migrations

from db import schema

migrate = Migrations("watch287g")


def apply(connection: sqlite3.Connection, version: int) -> None:
    """Bring a history to this version of the schema, (re)make the public views, and say in it what they mean."""
    database = Database(connection)
    migrate.apply(database)
    with database.atomic():
        for statement in _views():
            connection.execute(statement)
        _describe(connection)
        connection.execute(f"pragma user_version = {version}")


def _describe(connection: sqlite3.Connection) -> None:
    wanted = sorted(tuple(comment) for comment in schema.comments())
    if [tuple(row) for row in connection.execute('select object, "column", comment from dictionary')] != wanted:
        connection.execute("delete from dictionary")
        connection.execute(
            "insert into dictionary"
            " select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')"
            " from json_each(?)",
            (json.dumps(wanted),),
        )


def _views() -> list[str]:
    text = resources.files(__package__).joinpath("views.sql").read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]


@migrate()
def m001_history(database: Database) -> None:
    """Raw files and sightings; publications; agreements, their values over time, rows; events; checks."""
    _execute(database, _HISTORY)


@migrate()
def m002_outbox(database: Database) -> None:
    """What is to be told to whom, the messages that tell it, and the states of affairs that operators hear of."""
    _execute(database, _OUTBOX)


@migrate()
def m003_research(database: Database) -> None:
    """Agencies and where they are; full text over their names; when each list became known here."""
    _execute(database, _RESEARCH)
    for statement in KNOWN:
        database.conn.execute(statement)


def _execute(database: Database, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            database.conn.execute(statement)


_HISTORY = """
create table workbook (
    id integer primary key,
    sha256 text not null unique,
    bytes integer not null,
    archived_at text not null,
    list text check (list in ('participating', 'pending')),
    modified_at text,
    unreadable text,
    message text
);
create table sighting (
    id integer primary key,
    workbook_id integer not null references workbook,
    file_name text not null,
    url text not null default '',
    seen_at text not null,
    last_seen_at text not null,
    last_modified text,
    headers text,
    totals integer,
    publication_id integer references publication deferrable initially deferred,
    unique (seen_at, workbook_id, file_name, url)
);
create index sighting_workbook on sighting (workbook_id);
create index sighting_publication on sighting (publication_id);
create table publication (
    id integer primary key,
    list text not null check (list in ('participating', 'pending')),
    workbook_id integer not null references workbook,
    file_name text not null,
    first_seen_at text not null,
    last_seen_at text not null,
    published_on text not null,
    dated_by text not null,
    modified_at text,
    rows integer not null,
    columns text not null,
    verdict text not null check (verdict in ('accepted', 'held', 'rejected')),
    reason text not null,
    checks text not null
);
create index publication_date on publication (list, verdict, published_on);
create index publication_workbook on publication (workbook_id);
create table finding (
    publication_id integer not null references publication,
    code text not null,
    row integer,
    field text,
    message text not null
);
create index finding_publication on finding (publication_id);
create table agreement (
    id integer primary key,
    public_id text not null unique,
    list text not null check (list in ('participating', 'pending')),
    first_publication_id integer not null references publication,
    first_row integer not null,
    since text not null,
    signed_as integer references agreement deferrable initially deferred,
    left_publication_id integer references publication,
    last_publication_id integer references publication,
    last_row integer,
    left_event text,
    left_provisional integer not null default 0
);
create index agreement_signed_as on agreement (signed_as) where signed_as is not null;
create index agreement_left on agreement (left_publication_id) where left_publication_id is not null;
create table version (
    id integer primary key,
    agreement_id integer not null references agreement,
    from_publication_id integer not null references publication,
    to_publication_id integer references publication,
    state text,
    agency text not null,
    agency_type text,
    county text,
    support_model text,
    signed_on text,
    moa_url text,
    addendum_url text
);
create index version_agreement on version (agreement_id, from_publication_id);
create index version_agency on version (agency collate nocase);
create table printed (
    id integer primary key,
    digest integer not null unique,
    cells text not null
);
create table placement (
    publication_id integer not null references publication,
    row integer not null,
    agreement_id integer not null references agreement,
    printed_id integer not null references printed,
    duplicate integer not null default 0,
    primary key (publication_id, row)
) without rowid;
create table decision (
    id integer primary key,
    publication_id integer not null references publication,
    agreement_id integer not null references agreement,
    row integer,
    rule text not null,
    score real not null,
    evidence text not null,
    review integer not null
);
create index decision_agreement on decision (agreement_id, publication_id);
create index decision_review on decision (review) where review = 1;
create table event (
    id integer primary key,
    public_id text not null unique,
    kind text not null,
    status text not null check (status in ('confirmed', 'provisional', 'retracted')),
    list text not null,
    detected_at text not null,
    published_on text not null,
    agreement_id integer not null references agreement,
    related_agreement_id integer references agreement deferrable initially deferred,
    state text,
    agency text not null,
    county text,
    support_model text,
    signed_on text,
    pending_since text,
    changes text,
    classes text,
    publication_id integer not null references publication,
    row integer,
    previous_publication_id integer references publication,
    previous_row integer,
    note text not null,
    status_note text not null default '',
    status_changed_at text
);
create index event_agreement on event (agreement_id);
create index event_detected on event (detected_at);
create index event_published on event (published_on);
create index event_status_changed on event (status_changed_at) where status_changed_at is not null;
create index event_state on event (state, published_on);
create table "check" (
    id integer primary key,
    started_at text not null,
    finished_at text not null,
    trigger text not null,
    outcome text not null,
    fetched text not null,
    message text not null
);
create index check_started on "check" (started_at);
create table page (
    url text primary key,
    etag text,
    last_modified text,
    links text not null,
    totals text,
    fetched_at text not null
);
create table link (
    url text primary key,
    workbook_id integer not null references workbook,
    file_name text not null,
    etag text,
    last_modified text
);
create table operator_verdict (
    id integer primary key,
    list text not null,
    workbook_id integer not null references workbook,
    seen_at text not null,
    verdict text not null check (verdict in ('accepted', 'rejected')),
    reason text not null,
    decided_at text not null,
    unique (list, workbook_id, seen_at)
);
create table setting (
    name text primary key,
    value text not null
);
"""

_OUTBOX = """
create table saying (
    id integer primary key,
    about text not null,
    turn integer not null default 1,
    occasion text not null check (occasion in ('told', 'confirmed', 'retracted', 'begun', 'over')),
    content text not null,
    said_at text not null,
    unique (about, turn, occasion)
);
create table message (
    id integer primary key,
    public_id text not null unique,
    target text not null,
    kind text not null check (kind in ('alert', 'digest', 'correction', 'operator')),
    replies_to integer references message,
    made_at text not null,
    state text not null check (state in ('due', 'sending', 'sent', 'failed', 'dropped')),
    attempts integer not null default 0,
    refusals integer not null default 0,
    perhaps integer not null default 0,
    first_attempt_at text,
    next_attempt_at text,
    finished_at text,
    answer text not null default ''
);
create index message_waiting on message (target, id) where state in ('due', 'sending');
create index message_made on message (made_at);
create table notice (
    id integer primary key,
    target text not null,
    saying_id integer not null references saying,
    noted_at text not null,
    message_id integer references message,
    dropped text,
    unique (saying_id, target)
);
create index notice_open on notice (target, id) where message_id is null and dropped is null;
create index notice_message on notice (message_id) where message_id is not null;
create table affair (
    key text primary key,
    begun_at text not null,
    told_at text,
    saying text not null,
    over integer not null default 0
);
"""

_RESEARCH = """
create table state (
    postal text primary key,
    fips text not null unique,
    kind text not null,
    name text not null,
    latitude real not null,
    longitude real not null
) without rowid;
create table county (
    fips text primary key,
    state text not null references state,
    name text not null,
    latitude real not null,
    longitude real not null
) without rowid;
create table agency (
    id integer primary key,
    public_id text not null unique,
    state text,
    name text not null,
    former_names text not null default '[]',
    agency_type text,
    county text,
    county_fips text references county,
    county_basis text
);
create index agency_state on agency (state, name);
create index agency_county on agency (county_fips) where county_fips is not null;
create virtual table agency_search using fts5 (
    name, former_names, county, state, tokenize = "unicode61 remove_diacritics 2");
alter table agreement add column agency_id integer references agency;
create index agreement_agency on agreement (agency_id);
alter table version add column county_fips text references county;
alter table version add column county_basis text;
create index version_county on version (county_fips) where county_fips is not null;
create index version_state on version (state, from_publication_id);
alter table sighting add column recorded_at text;
alter table publication add column known_at text;
create table dictionary (
    object text not null,
    "column" text not null default '',
    comment text not null,
    primary key (object, "column")
) without rowid;
"""

KNOWN = (
    """
update sighting set recorded_at = max(seen_at, (select archived_at from workbook w where w.id = workbook_id))
""",
    """
update publication set known_at = max(
    coalesce((select min(s.recorded_at) from sighting s where s.publication_id = publication.id), first_seen_at),
    coalesce((select max(o.decided_at) from operator_verdict o where o.list = publication.list
        and o.workbook_id = publication.workbook_id and o.seen_at = publication.first_seen_at), ''),
    coalesce((select min(s.recorded_at) from sighting s where s.publication_id =
        (select min(n.id) from publication n where n.list = publication.list and n.id > publication.id)
        and (publication.reason glob '*borne out by *' or publication.reason glob 'replaced by *')), ''))
""",
)
"""When an older history learned of its sightings and lists: what a rebuild would say."""
