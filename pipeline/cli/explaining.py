"""`explain`: why an event was told, or why rows were taken for one agreement."""

import re

import click

from pipeline.cli.context import Context, Failure
from pipeline.cli.filters import emit_lines, paint

_ID = re.compile(r"[aep]-[0-9a-z-]*")


@click.command()
@click.argument("ident", metavar="EVENT_OR_AGREEMENT")
@click.pass_obj
def explain(context: Context, ident: str) -> None:
    """Why an event was told, or why rows were taken for one agreement.

    EVENT_OR_AGREEMENT is an id as `report`, `list` and `show` give it (e-..., a-..., p-...); a beginning that no other
    id shares is enough. Shows the rows as ICE printed them, the rule, and the evidence on each side.
    """
    from pipeline import explanations
    from pipeline.reports import explanation

    wanted = ident.strip().lower()
    if not _ID.fullmatch(wanted):
        raise Failure(
            f"{ident!r} is no id; `report` and `show` give those of events (e-...) and agreements (a-..., p-...)"
        )
    with context.reading() as connection:
        found = explanations.ids_beginning(connection, wanted)
        if not found:
            raise Failure(f"no event or agreement has an id that begins with {wanted}; see `report` or `show`")
        if len(found) > 1:
            raise Failure(f"several ids begin with {wanted} ({', '.join(found)}, ...); give more of it")
        if found[0].startswith("e-"):
            emit_lines(explanation.event(explanations.explained_event(connection, found[0]), paint))
        else:
            emit_lines(explanation.agreement(explanations.explained_agreement(connection, found[0]), paint))
