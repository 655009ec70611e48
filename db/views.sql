drop view if exists event_log;
drop view if exists current_agreements;
drop view if exists listing_history;
drop view if exists publication_log;
drop view if exists check_log;

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
       e.id as sequence
from event e
join agreement a on a.id = e.agreement_id
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
       l.row
from publication p
join workbook w on w.id = p.workbook_id
join placement l on l.publication_id = p.id and l.duplicate = 0
join printed c on c.id = l.printed_id
join agreement a on a.id = l.agreement_id
join version v on v.agreement_id = a.id and v.to_publication_id is null
join publication f on f.id = a.first_publication_id
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
       t.published_on as valid_to
from version v
join agreement a on a.id = v.agreement_id
join publication f on f.id = v.from_publication_id
left join publication t on t.id = v.to_publication_id;

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
       p.checks
from publication p
join workbook w on w.id = p.workbook_id;

create view check_log as
select started_at, finished_at, trigger, outcome, fetched, message
from "check";
