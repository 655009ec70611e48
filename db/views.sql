drop view if exists event_log;
drop view if exists current_agreements;
drop view if exists listing_history;
drop view if exists publication_log;
drop view if exists check_log;
drop view if exists current_applications;
drop view if exists agencies;
drop view if exists listings;
drop view if exists sighting_log;

create view event_log as
select e.public_id as event_id,
       e.kind,
       e.status,
       e.list,
       e.detected_at,
       e.published_on,
       a.public_id as agreement_id,
       e.state,
       e.agency,
       e.county,
       e.support_model,
       e.signed_on,
       e.pending_since,
       e.changes,
       w.sha256 as workbook_sha256,
       e.row,
       pw.sha256 as previous_workbook_sha256,
       e.previous_row,
       e.note,
       e.classes as change_classes,
       e.status_note,
       e.status_changed_at,
       r.public_id as related_agreement_id,
       p.file_name as workbook_name,
       pp.file_name as previous_workbook_name,
       e.id as sequence,
       g.public_id as agency_id,
       p.known_at,
       g.county_fips
from event e
join agreement a on a.id = e.agreement_id
left join agency g on g.id = a.agency_id
join publication p on p.id = e.publication_id
join workbook w on w.id = p.workbook_id
left join publication pp on pp.id = e.previous_publication_id
left join workbook pw on pw.id = pp.workbook_id
left join agreement r on r.id = e.related_agreement_id;

create view current_agreements as
select a.public_id as agreement_id,
       v.state,
       v.agency,
       v.agency_type,
       v.county,
       v.support_model,
       v.signed_on,
       v.moa_url,
       v.addendum_url,
       json_extract(c.cells, '$[0]') as printed_state,
       json_extract(c.cells, '$[1]') as printed_agency,
       json_extract(c.cells, '$[2]') as printed_type,
       json_extract(c.cells, '$[3]') as printed_county,
       json_extract(c.cells, '$[4]') as printed_support_type,
       json_extract(c.cells, '$[5]') as printed_signed,
       json_extract(c.cells, '$[6]') as printed_moa,
       json_extract(c.cells, '$[7]') as printed_addendum,
       f.published_on as first_listed_on,
       p.published_on as last_published_on,
       p.file_name as workbook_name,
       w.sha256 as workbook_sha256,
       l.row,
       g.public_id as agency_id,
       s.fips as state_fips,
       v.county_fips,
       v.county_basis,
       y.name as county_name
from publication p
join workbook w on w.id = p.workbook_id
join placement l on l.publication_id = p.id and l.duplicate = 0
join printed c on c.id = l.printed_id
join agreement a on a.id = l.agreement_id
join version v on v.agreement_id = a.id and v.to_publication_id is null
join publication f on f.id = a.first_publication_id
left join agency g on g.id = a.agency_id
left join state s on s.postal = v.state
left join county y on y.fips = v.county_fips
where p.id = (select max(id) from publication where list = 'participating' and verdict = 'accepted');

create view listing_history as
select a.public_id as agreement_id,
       a.list,
       v.state,
       v.agency,
       v.agency_type,
       v.county,
       v.support_model,
       v.signed_on,
       v.moa_url,
       v.addendum_url,
       f.published_on as valid_from,
       t.published_on as valid_to,
       g.public_id as agency_id,
       s.fips as state_fips,
       v.county_fips,
       v.county_basis,
       f.known_at as known_from,
       t.known_at as known_to,
       fw.sha256 as from_workbook_sha256,
       tw.sha256 as to_workbook_sha256,
       y.name as county_name
from version v
join agreement a on a.id = v.agreement_id
join publication f on f.id = v.from_publication_id
join workbook fw on fw.id = f.workbook_id
left join publication t on t.id = v.to_publication_id
left join workbook tw on tw.id = t.workbook_id
left join agency g on g.id = a.agency_id
left join state s on s.postal = v.state
left join county y on y.fips = v.county_fips;

create view publication_log as
select p.list,
       w.sha256 as workbook_sha256,
       p.file_name,
       p.first_seen_at,
       p.last_seen_at,
       p.published_on,
       p.dated_by,
       p.modified_at,
       p.rows,
       p.verdict,
       p.reason,
       p.checks,
       p.known_at,
       p.id as sequence
from publication p
join workbook w on w.id = p.workbook_id;

create view check_log as
select started_at, finished_at, trigger, outcome, fetched, message
from "check";

create view current_applications as
select a.public_id as application_id,
       v.state,
       v.agency,
       v.agency_type,
       v.county,
       v.support_model,
       f.published_on as first_listed_on,
       p.published_on as last_published_on,
       p.file_name as workbook_name,
       w.sha256 as workbook_sha256,
       l.row,
       g.public_id as agency_id,
       s.fips as state_fips,
       v.county_fips,
       v.county_basis,
       y.name as county_name
from publication p
join workbook w on w.id = p.workbook_id
join placement l on l.publication_id = p.id and l.duplicate = 0
join agreement a on a.id = l.agreement_id
join version v on v.agreement_id = a.id and v.to_publication_id is null
join publication f on f.id = a.first_publication_id
left join agency g on g.id = a.agency_id
left join state s on s.postal = v.state
left join county y on y.fips = v.county_fips
where p.id = (select max(id) from publication where list = 'pending' and verdict = 'accepted');

create view agencies as
select g.public_id as agency_id,
       g.state,
       s.name as state_name,
       g.name as agency,
       g.former_names,
       g.agency_type,
       g.county,
       s.fips as state_fips,
       g.county_fips,
       g.county_basis,
       c.name as county_name,
       (select count(*) from agreement a
         where a.agency_id = g.id and a.list = 'participating' and a.left_publication_id is null) as agreements_now,
       (select count(*) from agreement a where a.agency_id = g.id and a.list = 'participating') as agreements_ever,
       (select group_concat(model, ', ') from (
            select distinct v.support_model as model from agreement a
            join version v on v.agreement_id = a.id and v.to_publication_id is null
            where a.agency_id = g.id and a.list = 'participating' and a.left_publication_id is null
            order by 1)) as models_now,
       (select min(p.published_on) from agreement a join publication p on p.id = a.first_publication_id
         where a.agency_id = g.id and a.list = 'participating') as first_listed_on,
       g.id as sequence
from agency g
left join state s on s.postal = g.state
left join county c on c.fips = g.county_fips;

create view listings as
select p.list,
       p.published_on,
       w.sha256 as workbook_sha256,
       p.file_name as workbook_name,
       l.row,
       a.public_id as agreement_id,
       l.duplicate,
       json_extract(c.cells, '$[0]') as printed_state,
       json_extract(c.cells, '$[1]') as printed_agency,
       json_extract(c.cells, '$[2]') as printed_type,
       json_extract(c.cells, '$[3]') as printed_county,
       json_extract(c.cells, '$[4]') as printed_support_type,
       json_extract(c.cells, '$[5]') as printed_signed,
       json_extract(c.cells, '$[6]') as printed_moa,
       json_extract(c.cells, '$[7]') as printed_addendum,
       p.known_at,
       p.id as publication,
       g.public_id as agency_id
from publication p
join workbook w on w.id = p.workbook_id
join placement l on l.publication_id = p.id
join printed c on c.id = l.printed_id
join agreement a on a.id = l.agreement_id
left join agency g on g.id = a.agency_id
where p.verdict = 'accepted';

create view sighting_log as
select w.sha256 as workbook_sha256,
       s.file_name,
       s.url,
       s.seen_at,
       s.last_seen_at,
       s.last_modified,
       s.recorded_at,
       w.list,
       w.bytes,
       w.modified_at,
       w.archived_at,
       w.unreadable
from sighting s
join workbook w on w.id = s.workbook_id;
