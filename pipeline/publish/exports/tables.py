"""The schema of the exports: the tables, their columns with their types, and the SQL that reads them.

A table has the columns of a public view but `sequence`, which a rebuild may change, and perhaps some more at the end.
The SQL takes the day, so that one query gives a table as it is now and as of a date; tests hold it to the views.
"""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """What a table can be written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"
    GEOJSON = "geojson"


class Type(StrEnum):
    """What a column holds, by the words of Frictionless' Table Schema."""

    TEXT = "string"
    DATE = "date"
    MOMENT = "datetime"
    """A time in UTC, to the second."""
    INTEGER = "integer"
    NUMBER = "number"
    OBJECT = "object"
    ARRAY = "array"

    @property
    def is_json(self) -> bool:
        """Whether the history stores it as a JSON text."""
        return self in (Type.OBJECT, Type.ARRAY)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type, and whether it may be unknown (null); a text is then never empty.

    `sql` is the expression that gives it, if that is not its name. `description` is only for columns that the view
    lacks: the others are described by the history's own dictionary.
    """

    name: str
    type: Type = Type.TEXT
    optional: bool = False
    sql: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: the column, the table and the column that it refers to."""

    column: str
    table: str
    to: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the exports.

    `rows` is the SQL from `from` on, with the parameters `on` (the day), `participating` and `pending` (the lists in
    force on it, by the ids of their publications). `order` names columns by which the rows are sorted; they tell every
    row apart.
    """

    name: str
    view: str
    title: str
    columns: tuple[Column, ...]
    rows: str
    order: tuple[str, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()

    @property
    def sql(self) -> str:
        """The query that reads the table."""
        columns = ", ".join(f'{_expression(column)} as "{column.name}"' for column in self.columns)
        return f"select {columns} {self.rows} order by {', '.join(self.order)}"


def _expression(column: Column) -> str:
    expression = column.sql or f'"{column.name}"'
    if column.type is not Type.TEXT:
        return expression
    return f"nullif({expression}, '')" if column.optional else f"coalesce({expression}, '')"


def _evidence() -> tuple[Column, ...]:
    return (
        Column("first_listed_on", Type.DATE, sql="f.published_on"),
        Column("last_published_on", Type.DATE, sql="p.published_on"),
        Column("workbook_name", sql="p.file_name"),
        Column("workbook_sha256", sql="w.sha256"),
        Column("row", Type.INTEGER, sql="l.row"),
    )


def _terms() -> tuple[Column, ...]:
    return (
        Column("state", optional=True, sql="v.state"),
        Column("agency", sql="v.agency"),
        Column("agency_type", optional=True, sql="v.agency_type"),
        Column("county", optional=True, sql="v.county"),
        Column("support_model", optional=True, sql="v.support_model"),
    )


def _signing() -> tuple[Column, ...]:
    return (
        Column("signed_on", Type.DATE, optional=True, sql="v.signed_on"),
        Column("moa_url", optional=True, sql="v.moa_url"),
        Column("addendum_url", optional=True, sql="v.addendum_url"),
    )


def _codes() -> tuple[Column, ...]:
    return (
        Column("agency_id", optional=True, sql="g.public_id"),
        Column("state_fips", optional=True, sql="s.fips"),
        Column("county_fips", optional=True, sql="v.county_fips"),
        Column("county_basis", optional=True, sql="v.county_basis"),
    )


def _county_name() -> Column:
    return Column("county_name", optional=True, sql="y.name")


def _location() -> tuple[Column, ...]:
    return (
        Column("state_name", optional=True, sql="s.name", description="The state's or territory's name."),
        Column(
            "latitude",
            Type.NUMBER,
            optional=True,
            sql="coalesce(y.latitude, s.latitude)",
            description="Degrees north, of the middle of the county; of the state, where no one county is known.",
        ),
        Column(
            "longitude",
            Type.NUMBER,
            optional=True,
            sql="coalesce(y.longitude, s.longitude)",
            description="Degrees east of the same point.",
        ),
        Column(
            "location",
            optional=True,
            sql="case when y.fips is not null then 'county' when s.fips is not null then 'state' end",
            description="What latitude and longitude are the middle of: county or state. Not the agency's address.",
        ),
    )


_PRINTED = ("state", "agency", "type", "county", "support_type", "signed", "moa", "addendum")
"""The cells of a row, in the order in which they are stored."""

_LISTED = """
from placement l
join publication p on p.id = l.publication_id
join workbook w on w.id = p.workbook_id
join printed c on c.id = l.printed_id
join agreement a on a.id = l.agreement_id
join version v on v.agreement_id = a.id and v.from_publication_id <= p.id
              and (v.to_publication_id is null or v.to_publication_id > p.id)
join publication f on f.id = a.first_publication_id
left join agency g on g.id = a.agency_id
left join state s on s.postal = v.state
left join county y on y.fips = v.county_fips
where l.duplicate = 0 and l.publication_id = """

_IN_FORCE = """
from agreement a join version v on v.agreement_id = a.id
where a.agency_id = g.id and a.list = 'participating' and v.from_publication_id <= :participating
  and (v.to_publication_id is null or v.to_publication_id > :participating)"""

_MODELS = f"""
(select group_concat(model, ', ') from (select distinct v.support_model as model {_IN_FORCE} order by 1))"""  # noqa: S608

_AGENCIES = """
from agency g
left join state s on s.postal = g.state
left join county c on c.fips = g.county_fips
where exists (select 1 from agreement a join publication p on p.id = a.first_publication_id
              where a.agency_id = g.id and p.published_on <= :on)"""

_EVER = """
from agreement a join publication p on p.id = a.first_publication_id
where a.agency_id = g.id and a.list = 'participating' and p.published_on <= :on"""

_HISTORY = """
from version v
join agreement a on a.id = v.agreement_id
join publication f on f.id = v.from_publication_id
join workbook fw on fw.id = f.workbook_id
left join publication t on t.id = v.to_publication_id and t.published_on <= :on
left join workbook tw on tw.id = t.workbook_id
left join agency g on g.id = a.agency_id
left join state s on s.postal = v.state
left join county y on y.fips = v.county_fips
where f.published_on <= :on"""

AGREEMENTS = Table(
    name="agreements",
    view="current_agreements",
    title="Agreements in force, a row each: what ICE's participating list says.",
    columns=(
        Column("agreement_id", sql="a.public_id"),
        *_terms(),
        *_signing(),
        *(Column(f"printed_{name}", sql=f"json_extract(c.cells, '$[{i}]')") for i, name in enumerate(_PRINTED)),
        *_evidence(),
        *_codes(),
        _county_name(),
        *_location(),
    ),
    rows=f"{_LISTED}:participating",
    order=("state", "agency", "support_model", "signed_on", "agreement_id"),
    key=("agreement_id",),
    references=(
        Reference("agency_id", "agencies", "agency_id"),
        Reference("agreement_id", "history", "agreement_id"),
        Reference("workbook_sha256", "publications", "workbook_sha256"),
    ),
)

APPLICATIONS = Table(
    name="applications",
    view="current_applications",
    title="Applications that wait, a row each: what ICE's pending list says.",
    columns=(
        Column("application_id", sql="a.public_id"),
        *_terms(),
        *_evidence(),
        *_codes(),
        _county_name(),
        *_location(),
    ),
    rows=f"{_LISTED}:pending",
    order=("state", "agency", "support_model", "application_id"),
    key=("application_id",),
    references=(
        Reference("agency_id", "agencies", "agency_id"),
        Reference("application_id", "history", "agreement_id"),
        Reference("workbook_sha256", "publications", "workbook_sha256"),
    ),
)

EVENTS = Table(
    name="events",
    view="event_log",
    title="What changed from list to list, an event a row, with the workbooks and rows that show it.",
    columns=(
        Column("event_id"),
        Column("kind"),
        Column("status"),
        Column("list"),
        Column("detected_at", Type.MOMENT),
        Column("published_on", Type.DATE),
        Column("agreement_id"),
        Column("state", optional=True),
        Column("agency"),
        Column("county", optional=True),
        Column("support_model", optional=True),
        Column("signed_on", Type.DATE, optional=True),
        Column("pending_since", Type.DATE, optional=True),
        Column("changes", Type.OBJECT, optional=True),
        Column("workbook_sha256"),
        Column("row", Type.INTEGER, optional=True),
        Column("previous_workbook_sha256", optional=True),
        Column("previous_row", Type.INTEGER, optional=True),
        Column("note"),
        Column("change_classes", Type.OBJECT, optional=True),
        Column("status_note"),
        Column("status_changed_at", Type.MOMENT, optional=True),
        Column("related_agreement_id", optional=True),
        Column("workbook_name"),
        Column("previous_workbook_name", optional=True),
        Column("agency_id", optional=True),
        Column("known_at", Type.MOMENT, optional=True),
        Column("county_fips", optional=True),
    ),
    rows="from event_log where published_on <= :on",
    order=("published_on", "list", "state", "agency", "kind", "event_id"),
    key=("event_id",),
    references=(
        Reference("agency_id", "agencies", "agency_id"),
        Reference("agreement_id", "history", "agreement_id"),
        Reference("workbook_sha256", "publications", "workbook_sha256"),
        Reference("previous_workbook_sha256", "publications", "workbook_sha256"),
    ),
)

HISTORY = Table(
    name="history",
    view="listing_history",
    title="Every agreement and application over time: a row for each period with the same terms.",
    columns=(
        Column("agreement_id", sql="a.public_id"),
        Column("list", sql="a.list"),
        *_terms(),
        *_signing(),
        Column("valid_from", Type.DATE, sql="f.published_on"),
        Column("valid_to", Type.DATE, optional=True, sql="t.published_on"),
        *_codes(),
        Column("known_from", Type.MOMENT, optional=True, sql="f.known_at"),
        Column("known_to", Type.MOMENT, optional=True, sql="t.known_at"),
        Column("from_workbook_sha256", sql="fw.sha256"),
        Column("to_workbook_sha256", optional=True, sql="tw.sha256"),
        _county_name(),
    ),
    rows=_HISTORY,
    order=("a.list", "v.state", "a.public_id", "f.published_on", "f.first_seen_at", "fw.sha256"),
    key=("agreement_id", "valid_from", "from_workbook_sha256"),
    references=(
        Reference("agency_id", "agencies", "agency_id"),
        Reference("from_workbook_sha256", "publications", "workbook_sha256"),
        Reference("to_workbook_sha256", "publications", "workbook_sha256"),
    ),
)

AGENCIES = Table(
    name="agencies",
    view="agencies",
    title="Every agency that either list has named, under its latest name.",
    columns=(
        Column("agency_id", sql="g.public_id"),
        Column("state", optional=True, sql="g.state"),
        Column("state_name", optional=True, sql="s.name"),
        Column("agency", sql="g.name"),
        Column("former_names", Type.ARRAY, sql="g.former_names"),
        Column("agency_type", optional=True, sql="g.agency_type"),
        Column("county", optional=True, sql="g.county"),
        Column("state_fips", optional=True, sql="s.fips"),
        Column("county_fips", optional=True, sql="g.county_fips"),
        Column("county_basis", optional=True, sql="g.county_basis"),
        Column("county_name", optional=True, sql="c.name"),
        Column("agreements_now", Type.INTEGER, sql=f"(select count(distinct a.id) {_IN_FORCE})"),
        Column("agreements_ever", Type.INTEGER, sql=f"(select count(*) {_EVER})"),
        Column("models_now", optional=True, sql=_MODELS),
        Column("first_listed_on", Type.DATE, optional=True, sql=f"(select min(p.published_on) {_EVER})"),
    ),
    rows=_AGENCIES,
    order=("agency_id",),
    key=("agency_id",),
)

PUBLICATIONS = Table(
    name="publications",
    view="publication_log",
    title="Every list that ICE published, with what the checks found and whether it was accepted.",
    columns=(
        Column("list"),
        Column("workbook_sha256"),
        Column("file_name"),
        Column("first_seen_at", Type.MOMENT),
        Column("last_seen_at", Type.MOMENT),
        Column("published_on", Type.DATE),
        Column("dated_by"),
        Column("modified_at", Type.MOMENT, optional=True),
        Column("rows", Type.INTEGER),
        Column("verdict"),
        Column("reason"),
        Column("checks", Type.ARRAY),
        Column("known_at", Type.MOMENT, optional=True),
    ),
    rows="from publication_log where published_on <= :on",
    order=("published_on", "first_seen_at", "list", "workbook_sha256"),
    key=("list", "workbook_sha256", "first_seen_at"),
)

TABLES = (AGREEMENTS, APPLICATIONS, EVENTS, HISTORY, AGENCIES, PUBLICATIONS)
