"""The values of an agreement before and after -> which fields changed, and what kind of change each is."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date

from db.records import Values
from pipeline.reading.links import document
from pipeline.reading.places import fold
from pipeline.tracking import names
from pipeline.tracking.names import Likeness

FIELDS = ("state", "agency", "agency_type", "county", "support_model", "signed_on", "moa_url", "addendum_url")
_COLUMN = {
    "agency_type": "type",
    "support_model": "model",
    "signed_on": "signed",
    "moa_url": "moa",
    "addendum_url": "addendum",
}
IDENTITY = ("state", "agency", "support_model", "signed_on")
"""The fields whose change makes a naive comparison see an end and a beginning."""

Changes = dict[str, tuple[str | None, str | None]]


def settle(before: Values, after: Values) -> Values:
    """The values in force: a state, model or date that can no longer be read is not a change of it.

    The printed cell is kept with the listing, and a finding names it.
    """
    if after.state and after.agency and after.support_model and after.signed_on:
        return after
    return replace(
        after,
        state=after.state or before.state,
        agency=after.agency or before.agency,
        support_model=after.support_model or before.support_model,
        signed_on=after.signed_on or before.signed_on,
    )


def compare(before: Values, after: Values, columns: AbstractSet[str]) -> tuple[Changes, dict[str, str]]:
    """The fields that differ and the class of each difference.

    Args:
        columns: the columns that both publications have. A field without a column was not stated, and a statement
            that begins or ends for all rows says nothing about one of them.
    """
    if before == after:
        return {}, {}
    changes: Changes = {}
    classes: dict[str, str] = {}
    for name in FIELDS:
        if _COLUMN.get(name, name) not in columns:
            continue
        old, new = getattr(before, name), getattr(after, name)
        if old == new or (name.endswith("_url") and document(old) == document(new)):
            continue
        changes[name] = (_text(old), _text(new))
        classes[name] = _class(name, before, after)
    return changes, classes


def _text(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) else None if value is None else str(value)


def _class(name: str, before: Values, after: Values) -> str:
    old, new = getattr(before, name), getattr(after, name)
    if name == "agency":
        return _agency_class(before, after)
    if name.endswith("_url"):
        noun = "link" if name == "moa_url" else "addendum"
        return f"{noun} posted" if old is None else f"{noun} withdrawn" if new is None else f"{noun} replaced"
    noun = {"state": "state", "agency_type": "type", "county": "county", "support_model": "model", "signed_on": "date"}[
        name
    ]
    return f"{noun} added" if old is None else f"{noun} removed" if new is None else f"{noun} correction"


def _agency_class(before: Values, after: Values) -> str:
    likeness = names.compare(before, after)
    same_letters = fold(before.agency) == fold(after.agency)
    return "spelling" if same_letters or likeness in (Likeness.MISSPELT, Likeness.EQUAL) else "rename"
