"""`held` and `review`: what waits for a person."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure, say

if TYPE_CHECKING:
    import sqlite3

    from db.records import Publication, Verdict


@click.group()
def held() -> None:
    """Publications that failed a required check."""


@held.command("list")
@click.pass_obj
def list_held(context: Context) -> None:
    """Say what is held, and why. Exit codes: 0 nothing is held, 4 something is."""
    from pipeline import standing

    with context.reading() as connection:
        waiting = standing.read_standing(connection)["held"]
        for item in waiting:
            say(
                f"{item['list']} list {item['file_name']}, {item['rows']} rows, first seen {item['first_seen_at']}",
                bold=True,
            )
            say(f"  SHA-256 {item['workbook_sha256']}")
            for line in _checks(connection, item["workbook_sha256"]):
                say(f"  {line}")
    if not waiting:
        say("nothing is held")
        return
    raise click.exceptions.Exit(Code.HELD)


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
@click.option("--why", required=True, help="The reason; it stays with the publication.")
@click.pass_obj
def release(context: Context, workbook: str | None, why: str) -> None:
    """Accept the held publication (name it by the first characters of its SHA-256 if two lists wait)."""
    from db.records import Verdict

    _decide(context, workbook, why, Verdict.ACCEPTED)


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

    with context.writing() as connection:
        publication = _waiting(connection, workbook)
        try:
            historian = Historian(connection, Archive(context.paths.archive), context.rules)
            steps = historian.decide(publication, verdict, why, datetime.now(UTC))
        except ArchiveError as error:
            raise Failure(str(error)) from None
    events = sum(len(step.events) for step in steps)
    say(f"{publication.file_name} is {verdict}: {events} events")


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
    "--days", type=click.IntRange(1), default=30, show_default=True, help="How far back, before the newest list."
)
@click.pass_obj
def review(context: Context, everything: bool, days: int) -> None:
    """List the decisions near the border, and corrections that match nothing.

    Overrule one in corrections.yaml (`same`, `distinct`, `fix`, `ignore`), then run `watch287g rebuild`.
    """
    from db import read
    from pipeline.derive import fingerprint

    with context.reading() as connection:
        rows = _near_border(connection, None if everything else days)
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
    say(f"{len(rows)} decisions to look at" if rows else "nothing to review")
    if made_with == fingerprint(context.rules.corrections):
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
