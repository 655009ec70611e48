"""`held` and `review`: what waits for a person."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure, say, say_taken_back
from pipeline.standing import REVIEW_DAYS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from db.read import Decided
    from db.records import Publication, Step, Values, Verdict

_NAMED = 10
"""So many agreements are named; of the rest only the number is told."""


@click.group()
def held() -> None:
    """Publications that failed a required check."""


@held.command("list")
@click.pass_obj
def list_held(context: Context) -> None:
    """Say what is held, why, and which agreements would vanish. Exit codes: 0 nothing is held, 4 something is."""
    from pipeline import standing

    with context.reading() as connection:
        waiting = standing.held(connection)
        for item in waiting:
            say(
                f"{item['list']} list {item['file_name']}, {item['rows']} rows, first seen {item['first_seen_at']}",
                bold=True,
            )
            say(f"  SHA-256 {item['workbook_sha256']}")
            for line in _checks(connection, item["workbook_sha256"]):
                say(f"  {line}")
            publication = _waiting(connection, item["workbook_sha256"])
            for line in _vanishing(publication, _rehearsed(context, connection, publication)):
                say(f"  {line}")
    if not waiting:
        say("nothing is held")
        return
    raise click.exceptions.Exit(Code.HELD)


def _rehearsed(context: Context, connection: "sqlite3.Connection", publication: "Publication") -> "list[Step]":
    """What releasing a publication would decide; nothing is written."""
    from db.archive import Archive, ArchiveError
    from pipeline.derive import rehearse

    try:
        return rehearse(connection, Archive(context.paths.archive), context.rules, publication)
    except ArchiveError as error:
        raise Failure(str(error)) from None


def _vanishing(publication: "Publication", steps: "Iterable[Step]") -> "Iterator[str]":
    gone = [
        agreement.values
        for step in steps
        if step.publication == publication
        for agreement in step.agreements
        if agreement.left is not None and agreement.left.workbook == publication.workbook and not agreement.signed_as
    ]
    if gone:
        yield f"{len(gone):,} would vanish:"
        yield from _named(gone)


def _named(agreements: "list[Values]") -> "Iterator[str]":
    from pipeline.reports.wording import agency

    ordered = sorted(agreements, key=lambda v: (v.state or "", v.agency, v.support_model or "", str(v.signed_on)))
    for values in ordered[:_NAMED]:
        yield f"  {agency(values.state, values.agency)}, {values.support_model or 'model unknown'}"
    if len(ordered) > _NAMED:
        yield f"  and {len(ordered) - _NAMED:,} more"


def _checks(connection: "sqlite3.Connection", sha256: str) -> list[str]:
    rows = connection.execute(
        "select c.value ->> 'name' as name, c.value ->> 'ok' as ok, c.value ->> 'required' as required,"
        " c.value ->> 'note' as note from publication p join workbook w on w.id = p.workbook_id,"
        " json_each(p.checks) c where w.sha256 = ? and p.verdict = 'held'",
        (sha256,),
    )
    return [
        f"{'ok    ' if r['ok'] else 'FAILED' if r['required'] else 'warns '}  {r['name']}: {r['note']}" for r in rows
    ]


@held.command()
@click.argument("workbook", required=False)
@click.option("--why", help="The reason; it stays with the publication.")
@click.option("--dry-run", is_flag=True, help="Say what would be told, and write nothing.")
@click.pass_obj
def release(context: Context, workbook: str | None, why: str | None, dry_run: bool) -> None:
    """Accept the held publication (name it by the first characters of its SHA-256 if two lists wait)."""
    from db.records import Verdict

    if dry_run:
        with context.reading() as connection:
            publication = _waiting(connection, workbook)
            for line in _would_tell(publication, _rehearsed(context, connection, publication)):
                say(line)
        return
    if why is None:
        raise click.UsageError("Missing option '--why': the reason stays with the publication.")
    _decide(context, workbook, why, Verdict.ACCEPTED)


def _would_tell(publication: "Publication", steps: "list[Step]") -> "Iterator[str]":
    """The events of a release in numbers, and the first terminations by name."""
    from db.records import Kind
    from pipeline.reports.wording import plural

    events = [event for step in steps for event in step.events]
    counts = ", ".join(f"{n:,} {kind}" for kind in Kind if (n := sum(event.kind is kind for event in events)))
    yield f"{publication.file_name} would tell {plural(len(events), 'event')}{f': {counts}' if counts else ''}"
    yield from _named([event.values for event in events if event.kind is Kind.TERMINATED])
    yield "nothing was written"


@held.command()
@click.argument("workbook", required=False)
@click.option("--why", required=True, help="The reason; it stays with the publication.")
@click.pass_obj
def reject(context: Context, workbook: str | None, why: str) -> None:
    """Reject the held publication: it makes no event, whatever comes next."""
    from db.records import Verdict

    _decide(context, workbook, why, Verdict.REJECTED)


def _decide(context: Context, workbook: str | None, why: str, verdict: "Verdict") -> None:
    from db.archive import Archive, ArchiveError
    from pipeline.derive import Historian
    from pipeline.reports.wording import plural

    rules, outbox = context.rules, context.outbox
    with context.writing() as connection:
        publication = _waiting(connection, workbook)
        try:
            historian = Historian(connection, Archive(context.paths.archive), rules, outbox=outbox)
            steps = historian.decide(publication, verdict, why, datetime.now(UTC))
        except ArchiveError as error:
            raise Failure(str(error)) from None
    say(f"{publication.file_name} is {verdict}: {plural(sum(len(step.events) for step in steps), 'event')}")
    say(f"`watch287g held undo {publication.workbook[:12]}` takes that back")
    if context.alerts_wanted and any(step.events for step in steps):
        say("subscribers hear of it by the next check, or by `watch287g alerts send` now")


@held.command()
@click.argument("workbook")
@click.pass_obj
def undo(context: Context, workbook: str) -> None:
    """Take back a release or a rejection: the history is made anew as if you had not decided.

    WORKBOOK is the first characters of its SHA-256. Events that only your verdict told are gone; a list that nothing
    has borne out or replaced since is held again.
    """
    from db.archive import Archive, ArchiveError
    from pipeline.derive import Historian
    from pipeline.reports.wording import plural

    rules, outbox = context.rules, context.outbox
    with context.writing() as connection:
        decided = _decided(connection, workbook.lower())
        before = _events(connection)
        try:
            derived = Historian(connection, Archive(context.paths.archive), rules, outbox=outbox).undo(decided)
        except ArchiveError as error:
            raise Failure(f"{error}; the verdict stays as it was") from None
        difference = _events(connection) - before
        now = connection.execute(
            "select p.verdict from publication p join workbook w on w.id = p.workbook_id"
            " where w.sha256 = ? and p.list = ? and p.first_seen_at = ?",
            (decided.workbook, decided.list, decided.seen_at),
        ).fetchone()
    more = f"{plural(abs(difference), 'event')} {'fewer' if difference < 0 else 'more'}"
    became = f"{decided.file_name} is {now['verdict']} now" if now else f"{decided.file_name} is no list of its own now"
    say(f"your verdict of {decided.decided_at} ({decided.verdict}: {decided.reason}) is taken back")
    say(f"{became}; {more if difference else 'no event more or fewer'}")
    say_taken_back(derived.taken_back)


def _events(connection: "sqlite3.Connection") -> int:
    return int(connection.execute("select count(*) from event").fetchone()[0])


def _decided(connection: "sqlite3.Connection", workbook: str) -> "Decided":
    """The last verdict on the workbook that is meant."""
    from db import read

    found = read.decided_by_operator(connection, workbook)
    if len({decided.workbook for decided in found}) == 1:
        return found[-1]
    known = found or read.decided_by_operator(connection, "")
    if not known:
        raise Failure("you have decided about no publication")
    names = ", ".join(f"{decided.workbook[:12]} ({decided.file_name}, {decided.verdict})" for decided in known)
    raise Failure(f"name one of the workbooks that you have decided about: {names}", Code.USAGE)


def _waiting(connection: "sqlite3.Connection", workbook: str | None) -> "Publication":
    from db import read
    from db.records import ListName, Verdict

    stored = [s for name in ListName if (s := read.latest_publication(connection, name, Verdict.HELD))]
    fitting = [s.publication for s in stored if workbook is None or s.publication.workbook.startswith(workbook.lower())]
    if len(fitting) == 1:
        return fitting[0]
    if not stored:
        raise Failure("nothing is held")
    names = ", ".join(f"{s.publication.workbook[:12]} ({s.publication.list})" for s in stored)
    raise Failure(f"name one of the publications that are held: {names}", Code.USAGE)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also decisions about publications of long ago.")
@click.option(
    "--days",
    type=click.IntRange(1, 100_000),
    default=REVIEW_DAYS,
    show_default=True,
    help="How far back, before the newest list.",
)
@click.pass_obj
def review(context: Context, everything: bool, days: int) -> None:
    """List the decisions near the border, and corrections that match nothing.

    Overrule one in corrections.yaml (`same`, `distinct`, `fix`, `ignore`), then run `watch287g rebuild`.
    """
    from db import read
    from pipeline.derive import fingerprint
    from pipeline.reports.wording import plural
    from pipeline.standing import review_counts

    with context.reading() as connection:
        rows = _near_border(connection, None if everything else days)
        older = 0 if everything else review_counts(connection, days)[1]
        made_with = read.setting(connection, "corrections")
        unused = json.loads(read.setting(connection, "unused_corrections") or "[]")
    for row in rows:
        side = (
            "taken for the same"
            if row["rule"] in ("continued", "returned", "renewed", "duplicate")
            else "taken for another"
        )
        say(
            f"{row['published_on']}  {row['public_id']}  {row['agency']} ({row['state']}), {row['support_model']}",
            bold=True,
        )
        say(f"    {row['rule']}: {side}, {row['score']:+.1f} from the border; `watch287g explain {row['public_id']}`")
    say(f"{plural(len(rows), 'decision')} to look at" if rows else "nothing to review")
    if older:
        say(f"{older:,} more in older lists; --all")
    if made_with == fingerprint(context.corrections):
        for title in unused:
            say(f"this correction matches nothing: {title}", fg="yellow", err=True)
    elif made_with is not None:
        say("corrections.yaml has changed since the history was made; run `watch287g rebuild`", fg="yellow", err=True)


def _near_border(connection: "sqlite3.Connection", days: int | None) -> "list[sqlite3.Row]":
    since = "" if days is None else " and p.published_on >= (select date(max(published_on), ?) from publication)"
    return connection.execute(
        "select p.published_on, a.public_id, v.agency, v.state, v.support_model, d.rule, d.score"  # noqa: S608
        " from decision d join publication p on p.id = d.publication_id join agreement a on a.id = d.agreement_id"
        " join version v on v.id = (select max(id) from version where agreement_id = a.id)"
        f" where d.review = 1{since} order by p.published_on desc, abs(d.score), a.public_id",
        () if days is None else (f"-{days} days",),
    ).fetchall()
