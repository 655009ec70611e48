"""The SQL of citations: what is read of the history, and in which order."""

from pipeline.queries import EVENT_COLUMNS

CANDIDATES = """
select a.public_id as agreement_id, a.list, v.state, v.agency, v.support_model, v.signed_on, g.public_id as agency_id,
       f.published_on as first_listed_on, t.published_on as left_on
from agreement a
join version v on v.id = (select max(id) from version where agreement_id = a.id)
join publication f on f.id = a.first_publication_id
left join publication t on t.id = a.left_publication_id
left join agency g on g.id = a.agency_id
where a.public_id in (select value from json_each(:ids))
order by a.list, f.published_on, a.id
"""

MEMBERS = """
select a.public_id from agency g join agreement a on a.agency_id = g.id where g.public_id = ?
"""

AGREEMENT = """
select a.id, a.public_id, a.list, a.agency_id, g.public_id as agency
from agreement a left join agency g on g.id = a.agency_id
where a.public_id = ?
"""

PUBLICATION = """
select p.id, p.list, p.published_on, p.dated_by, p.file_name, w.sha256, w.bytes, p.modified_at, p.first_seen_at,
       p.last_seen_at, p.known_at, p.rows
from publication p join workbook w on w.id = p.workbook_id
"""

ON = f"""{PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and p.published_on <= :on
order by p.published_on desc, p.id desc limit 1
"""

BEFORE = f"""{PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and (p.published_on, p.id) < (:published_on, :id)
order by p.published_on desc, p.id desc limit 1
"""

AFTER = f"""{PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and (p.published_on, p.id) > (:published_on, :id)
order by p.published_on, p.id limit 1
"""

WITH = """
select distinct p.id, p.published_on
from version v
join publication p on p.id >= v.from_publication_id and (v.to_publication_id is null or p.id < v.to_publication_id)
where v.agreement_id = ? and p.list = ? and p.verdict = 'accepted'
order by p.published_on, p.id
"""

SIGHTINGS = """
select file_name, url, seen_at, last_seen_at, coalesce(recorded_at, seen_at) as recorded_at
from sighting where publication_id = ? order by seen_at, id
"""

LAST_SIGHTING = "select max(last_seen_at) from publication where list = ?"

LEFT_OUT = """
select row, message from finding
where publication_id = ? and code in ('hidden_row', 'no_listing') and row is not null order by row
"""

ROWS = """
select l.row, a.public_id as agreement_id, a.agency_id, l.duplicate, v.state, v.agency, v.county, c.cells
from placement l
join agreement a on a.id = l.agreement_id
join printed c on c.id = l.printed_id
left join version v on v.agreement_id = a.id and v.from_publication_id <= l.publication_id
                    and (v.to_publication_id is null or v.to_publication_id > l.publication_id)
where l.publication_id = ? order by l.row
"""

TERMS = """
select a.public_id as agreement_id, v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on,
       v.moa_url, v.addendum_url
from version v join agreement a on a.id = v.agreement_id
where v.agreement_id = :agreement
order by v.from_publication_id > :publication, abs(v.from_publication_id - :publication) limit 1
"""
"""The terms in force in a publication; else the last before it, else the first after."""

EVENTS = f"""
select {EVENT_COLUMNS} from event_log
where sequence in (
    select e.id from event e where e.agreement_id = :agreement
    union
    select e.id from agreement a join event e on e.agreement_id = a.id
    where a.agency_id = :agency and e.related_agreement_id = :agreement)
order by published_on, detected_at, sequence
"""  # noqa: S608

NOT_COUNTED = """
select p.verdict, p.reason, p.published_on, p.file_name, w.sha256, p.first_seen_at, p.last_seen_at
from publication p join workbook w on w.id = p.workbook_id
where p.list = :list and p.verdict in ('held', 'rejected') and p.published_on between :since and :on
order by p.published_on, p.id
"""

EVER_NAMED = """
select v.id, v.state, v.agency, a.public_id as agreement_id, g.public_id as agency_id, f.published_on as since,
       case when t.id is null then :newest else (
           select max(published_on) from publication where list = :list and verdict = 'accepted' and id < t.id)
       end as until
from version v
join agreement a on a.id = v.agreement_id and a.list = :list
join publication f on f.id = v.from_publication_id
left join publication t on t.id = v.to_publication_id
left join agency g on g.id = a.agency_id
where v.id in (select value from json_each(:versions))
"""

SEARCHED = """
select count(*), min(published_on), max(published_on) from publication where list = ? and verdict = 'accepted'
"""

CONSULTED = """
select p.published_on, p.dated_by, p.file_name as workbook_name, w.sha256 as workbook_sha256, w.bytes, p.rows,
       p.first_seen_at, p.last_seen_at, p.known_at,
       exists (select 1 from sighting s where s.publication_id = p.id and s.url <> '') as fetched
from publication p join workbook w on w.id = p.workbook_id
where p.list = ? and p.verdict = 'accepted'
order by p.published_on, p.id
"""

AGENCIES_OF_LIST = """
select g.public_id, g.state, g.name, g.former_names, min(f.published_on) as since,
       max(case when t.id is null then :newest else (
           select max(published_on) from publication where list = :list and verdict = 'accepted' and id < t.id)
       end) as until
from agency g
join agreement a on a.agency_id = g.id and a.list = :list
join publication f on f.id = a.first_publication_id
left join publication t on t.id = a.left_publication_id
group by g.id order by g.public_id
"""

LISTED_AMONG = """
select distinct a.public_id
from placement l join agreement a on a.id = l.agreement_id
where l.publication_id = ? and a.public_id in (select value from json_each(?))
"""

SPELLINGS = """
select v.id, v.state, v.agency, v.county, a.public_id as agreement_id, a.agency_id
from version v join agreement a on a.id = v.agreement_id
"""
"""Every name that an agreement ever had."""
